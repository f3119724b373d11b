//! Cutting sequences into padded batches, and padding them.

/// The sequences of one forward pass, padded to the longest.
#[derive(Debug, Clone)]
pub(crate) struct TokenBatch {
    /// Token ids, `[rows, length]` row-major; `padding` beyond a sequence's end.
    pub(crate) ids: Vec<u32>,
    /// The tokens of each sequence.
    pub(crate) lengths: Vec<usize>,
    /// The tokens of the longest.
    pub(crate) length: usize,
}

impl TokenBatch {
    /// Puts sequences below each other, padded at their ends.
    pub(crate) fn new(sequences: &[&[u32]], padding: u32) -> Self {
        let lengths: Vec<usize> = sequences.iter().map(|ids| ids.len()).collect();
        let length = lengths.iter().copied().max().unwrap_or(0);
        let ids = sequences
            .iter()
            .flat_map(|ids| ids.iter().copied().chain(std::iter::repeat(padding)).take(length))
            .collect();
        Self { ids, lengths, length }
    }

    /// The number of sequences.
    pub(crate) fn rows(&self) -> usize {
        self.lengths.len()
    }

    /// Whether any sequence is shorter than the longest.
    pub(crate) fn is_padded(&self) -> bool {
        self.lengths.iter().any(|length| *length != self.length)
    }
}

/// Cuts sequences of these lengths into batches of at most `budget` tokens, padding included.
/// Batches hold sequences of like length, longest first, so that the largest need of memory comes
/// first; a sequence longer than the budget is a batch of its own. Each index occurs once.
pub(crate) fn plan(lengths: &[usize], budget: usize) -> Vec<Vec<usize>> {
    let mut order: Vec<(usize, usize)> = lengths.iter().copied().enumerate().collect();
    order.sort_by_key(|(index, length)| (std::cmp::Reverse(*length), *index));
    let mut batches: Vec<Vec<usize>> = Vec::new();
    let mut longest = 0;
    for (index, length) in order {
        match batches.last_mut() {
            Some(batch) if (batch.len() + 1) * longest <= budget => batch.push(index),
            _ => {
                longest = length;
                batches.push(vec![index]);
            }
        }
    }
    batches
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(lengths: &[usize], budget: usize, expected: &[&[usize]]) {
        assert_eq!(plan(lengths, budget), expected);
    }

    #[test]
    fn plans() {
        check(&[], 10, &[]);
        check(&[3], 0, &[&[0]]);
        check(&[3, 5, 4], 10, &[&[1, 2], &[0]]);
        check(&[20, 1, 1], 4, &[&[0], &[1, 2]]);
        check(&[2, 2, 2, 2], 4, &[&[0, 1], &[2, 3]]);
    }

    #[test]
    fn pads_at_the_end() {
        let batch = TokenBatch::new(&[&[5, 6, 7], &[8]], 1);
        assert_eq!(batch.ids, [5, 6, 7, 8, 1, 1]);
        assert_eq!((batch.rows(), batch.length, batch.is_padded()), (2, 3, true));
    }

    proptest! {
        #[test]
        fn every_sequence_once_and_within_budget(
            lengths in prop::collection::vec(0_usize..300, 0..60),
            budget in 0_usize..2000,
        ) {
            let batches = plan(&lengths, budget);
            let mut seen: Vec<usize> = batches.iter().flatten().copied().collect();
            seen.sort_unstable();
            prop_assert_eq!(seen, (0..lengths.len()).collect::<Vec<_>>());
            for batch in batches {
                let longest = batch.iter().map(|index| lengths[*index]).max().unwrap();
                prop_assert!(batch.len() == 1 || batch.len() * longest <= budget);
            }
        }
    }
}
