//! Cutting sequences into packs, which are computed together.

/// Tokens in a pack: enough to hide the time in which the weights are read from memory, once per
/// pack; few enough that the activations stay small (90 MB for the 3-billion-parameter ESM-2).
const TOKENS: usize = 960;

/// Cuts sequences of these lengths into packs of about equal size, a multiple of `threads` of them,
/// longest sequences first. Sequences of length 0 are left out; every other occurs once, and is a
/// pack of its own unless `together`.
pub(crate) fn plan(lengths: &[usize], threads: usize, together: bool) -> Vec<Vec<usize>> {
    let mut order: Vec<(usize, usize)> = lengths.iter().copied().enumerate().collect();
    order.retain(|(_, length)| *length > 0);
    order.sort_by_key(|(index, length)| (std::cmp::Reverse(*length), *index));
    if !together {
        return order.into_iter().map(|(index, _)| vec![index]).collect();
    }
    let total: usize = lengths.iter().sum();
    let count = total.div_ceil(TOKENS).next_multiple_of(threads.max(1)).min(order.len());
    let mut packs = vec![(0_usize, Vec::new()); count];
    for (index, length) in order {
        // To the emptiest pack; to the first of several, so that the plan is deterministic.
        if let Some((tokens, pack)) = packs.iter_mut().min_by_key(|(tokens, _)| *tokens) {
            *tokens += length;
            pack.push(index);
        }
    }
    packs.into_iter().map(|(_, pack)| pack).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(lengths: &[usize], threads: usize, expected: &[&[usize]]) {
        assert_eq!(plan(lengths, threads, true), expected);
    }

    #[test]
    fn plans() {
        check(&[], 2, &[]);
        check(&[0, 0], 2, &[]);
        check(&[5], 4, &[&[0]]);
        check(&[5, 6], 1, &[&[1, 0]]);
        check(&[5, 6, 0, 7], 2, &[&[3], &[1, 0]]);
        check(&[900, 900, 900], 1, &[&[0], &[1], &[2]]);
        assert_eq!(plan(&[3, 0, 4], 1, false), [[2], [0]]);
    }

    proptest! {
        #[test]
        fn every_sequence_once_and_evenly(
            lengths in prop::collection::vec(0_usize..300, 0..200),
            threads in 1_usize..9,
        ) {
            let packs = plan(&lengths, threads, true);
            let mut seen: Vec<usize> = packs.iter().flatten().copied().collect();
            seen.sort_unstable();
            let there: Vec<usize> = (0..lengths.len()).filter(|i| lengths[*i] > 0).collect();
            prop_assert_eq!(&seen, &there);
            prop_assert!(packs.iter().all(|pack| !pack.is_empty()));
            let tokens = packs.iter().map(|pack| pack.iter().map(|i| lengths[*i]).sum::<usize>());
            prop_assert!(tokens.max().unwrap_or(0) <= TOKENS + 300);
            prop_assert!(packs.len().is_multiple_of(threads) || packs.len() == there.len());
        }
    }
}
