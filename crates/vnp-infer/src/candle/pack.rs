//! Cutting sequences into packs, and copying a pack to a device.

#![expect(clippy::indexing_slicing, reason = "lengths are those of the ids they were taken from")]

use std::cmp::Reverse;
use std::ops::Range;

use candle_core::{Device, Result, Tensor};

/// Queries that one block of a device's attention takes.
pub(crate) const QUERY_BLOCK: usize = 64;

/// The sequences of one forward pass, one after the other without padding.
#[derive(Debug, Clone, Default)]
pub(crate) struct Pack {
    /// The tokens of all sequences.
    pub(crate) ids: Vec<u32>,
    /// The number of tokens of each.
    pub(crate) lengths: Vec<usize>,
}

impl Pack {
    /// Puts sequences one after the other.
    pub(crate) fn new<'a>(sequences: impl IntoIterator<Item = &'a [u32]>) -> Self {
        let mut pack = Self::default();
        for ids in sequences {
            pack.ids.extend_from_slice(ids);
            pack.lengths.push(ids.len());
        }
        pack
    }

    /// The tokens of each sequence.
    pub(crate) fn sequences(&self) -> impl Iterator<Item = &[u32]> {
        self.ranges().map(|range| &self.ids[range])
    }

    /// The range of each sequence's tokens.
    pub(crate) fn ranges(&self) -> impl Iterator<Item = Range<usize>> {
        self.lengths.iter().scan(0, |end, length| {
            let start = *end;
            *end += length;
            Some(start..*end)
        })
    }

    /// Copies to a device, in one transfer, what its layers read. `pooled` gives the positions, of a
    /// sequence with this many tokens, whose mean is its embedding.
    pub(crate) fn upload(
        self,
        device: &Device,
        pooled: impl Fn(usize) -> Range<usize>,
    ) -> Result<Tokens> {
        let number = |x: usize| u32::try_from(x).map_err(candle_core::Error::from);
        let mut all = self.ids.clone();
        for length in &self.lengths {
            all.extend(0..number(*length)?);
        }
        let pooled = |range: Range<usize>| {
            let pooled = pooled(range.len());
            range.start + pooled.start..range.start + pooled.end
        };
        let pooled_rows: Vec<Range<usize>> = self.ranges().map(pooled).collect();
        for rows in &pooled_rows {
            all.extend([number(rows.start)?, number(rows.end)?]);
        }
        let before_blocks = all.len();
        for range in self.ranges() {
            for query in (0..range.len()).step_by(QUERY_BLOCK) {
                all.extend([number(range.start)?, number(range.len())?, number(query)?]);
            }
        }
        let (tokens, sequences) = (self.ids.len(), self.lengths.len());
        let blocks = (all.len() - before_blocks) / 3;
        let length = all.len();
        let all = Tensor::from_vec(all, length, device)?;
        Ok(Tokens {
            ids: all.narrow(0, 0, tokens)?,
            positions: all.narrow(0, tokens, tokens)?,
            pooled: all.narrow(0, 2 * tokens, 2 * sequences)?.reshape((sequences, 2))?,
            query_blocks: all.narrow(0, before_blocks, 3 * blocks)?.reshape((blocks, 3))?,
            pooled_rows,
            pack: self,
        })
    }
}

/// A pack on a device, where all numbers are u32.
#[derive(Debug)]
pub(crate) struct Tokens {
    /// The pack that was copied.
    pub(crate) pack: Pack,
    /// The rows whose mean is the embedding, for each sequence.
    pub(crate) pooled_rows: Vec<Range<usize>>,
    /// `[tokens]`
    pub(crate) ids: Tensor,
    /// Each token's position in its sequence, `[tokens]`.
    pub(crate) positions: Tensor,
    /// [`Tokens::pooled_rows`], `[sequences, 2]`.
    #[cfg_attr(not(feature = "cuda"), allow(dead_code, reason = "only kernels read it"))]
    pub(crate) pooled: Tensor,
    /// For every [`QUERY_BLOCK`] queries their sequence's first row, its number of tokens, and the
    /// first query's position in it, `[blocks, 3]`.
    #[cfg_attr(not(feature = "cuda"), allow(dead_code, reason = "only kernels read it"))]
    pub(crate) query_blocks: Tensor,
}

impl Tokens {
    /// The number of tokens.
    pub(crate) fn len(&self) -> usize {
        self.pack.ids.len()
    }
}

/// Cuts rows, each with its number of tokens, into packs of at most `budget` tokens. Packs hold
/// sequences of similar length, longest first, so that the largest need of memory comes first; a
/// sequence longer than the budget is a pack of its own. Each row occurs once.
pub(crate) fn plan(
    rows: impl IntoIterator<Item = (usize, usize)>,
    budget: usize,
) -> Vec<Vec<usize>> {
    let mut order: Vec<(usize, usize)> = rows.into_iter().collect();
    order.sort_by_key(|(row, tokens)| (Reverse(*tokens), *row));
    let mut packs: Vec<Vec<usize>> = Vec::new();
    // What the last pack has room for; none if its first sequence is beyond the budget.
    let mut left: Option<usize> = None;
    for (row, tokens) in order {
        match (packs.last_mut(), left.and_then(|left| left.checked_sub(tokens))) {
            (Some(pack), Some(rest)) => {
                pack.push(row);
                left = Some(rest);
            }
            _ => {
                packs.push(vec![row]);
                left = budget.checked_sub(tokens);
            }
        }
    }
    packs
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(lengths: &[usize], budget: usize, expected: &[&[usize]]) {
        assert_eq!(plan(lengths.iter().copied().enumerate(), budget), expected);
    }

    #[test]
    fn plans() {
        check(&[], 10, &[]);
        check(&[3], 0, &[&[0]]);
        check(&[3, 5, 4], 9, &[&[1, 2], &[0]]);
        check(&[3, 5, 4], 12, &[&[1, 2, 0]]);
        check(&[20, 1, 1], 4, &[&[0], &[1, 2]]);
        check(&[2, 2, 2, 2], 4, &[&[0, 1], &[2, 3]]);
        check(&[0, 15, 0], 0, &[&[1], &[0, 2]]);
    }

    #[test]
    fn a_pack_has_no_padding() {
        let long = vec![7; 65];
        let pack = Pack::new([&[5, 6, 7][..], &[8], &long]);
        assert_eq!(pack.ids[..4], [5, 6, 7, 8]);
        assert_eq!(pack.ranges().collect::<Vec<_>>(), [0..3, 3..4, 4..69]);
        let tokens = pack.upload(&Device::Cpu, |length| 1..length).unwrap();
        assert_eq!(tokens.len(), 69);
        assert_eq!(tokens.ids.to_vec1::<u32>().unwrap(), tokens.pack.ids);
        assert_eq!(tokens.positions.to_vec1::<u32>().unwrap()[..6], [0, 1, 2, 0, 0, 1]);
        assert_eq!(tokens.pooled.to_vec2::<u32>().unwrap(), [[1, 3], [4, 4], [5, 69]]);
        assert_eq!(tokens.pooled_rows, [1..3, 4..4, 5..69]);
        let blocks = tokens.query_blocks.to_vec2::<u32>().unwrap();
        assert_eq!(blocks, [[0, 3, 0], [3, 1, 0], [4, 65, 0], [4, 65, 64]]);
    }

    proptest! {
        #[test]
        fn every_sequence_once_and_within_budget(
            lengths in prop::collection::vec(0_usize..300, 0..60),
            budget in 0_usize..2000,
        ) {
            let packs = plan(lengths.iter().copied().enumerate(), budget);
            let mut seen: Vec<usize> = packs.iter().flatten().copied().collect();
            seen.sort_unstable();
            prop_assert_eq!(seen, (0..lengths.len()).collect::<Vec<_>>());
            for pack in packs {
                let tokens: usize = pack.iter().map(|row| lengths[*row]).sum();
                prop_assert!(pack.len() == 1 || tokens <= budget);
            }
        }
    }
}
