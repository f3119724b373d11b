//! The k-mers that occur in more than one split: chunks that hold one leak from split to split.

use crate::data::groups::Groups;
use crate::data::kmers::{for_each_shared, kmers};
use crate::data::record::LabelledRecord;
use crate::split::Split;

/// The k-mers that occur in more than one split.
#[derive(Debug, Clone, Default)]
pub struct SharedKmers {
    /// K-mers with a mask of their splits, sorted.
    splits: Vec<(u64, u8)>,
}

impl SharedKmers {
    /// The k-mers that occur in more than one split, given the split of every sequence.
    pub(crate) fn new(sequences: &[&[u8]], split_of: &[Split]) -> Self {
        let mut splits = Vec::new();
        for_each_shared(sequences, |kmer, run| {
            let split =
                |number: &u32| split_of.get(*number as usize).map_or(0, |split| split.bit());
            let bits = run.iter().fold(0, |bits, (_, number)| bits | split(number));
            if bits.count_ones() > 1 {
                splits.push((kmer, bits));
            }
        });
        splits.sort_unstable();
        Self { splits }
    }

    /// The k-mers of records that occur in more than one split; `splits` has one for each group.
    #[must_use]
    pub fn of_records(records: &[LabelledRecord], groups: &Groups, splits: &[Split]) -> Self {
        let sequences: Vec<&[u8]> = records.iter().map(|r| r.sequence.as_slice()).collect();
        Self::new(&sequences, &groups.split_of_members(splits))
    }

    /// Whether a sequence of `split` shares a k-mer with a later split, which would then measure what
    /// was memorised.
    #[must_use]
    pub fn leaks(&self, sequence: &[u8], split: Split) -> bool {
        let later = Split::ALL.iter().filter(|other| **other > split).fold(0, |b, p| b | p.bit());
        kmers(sequence).any(|kmer| {
            let at = self.splits.binary_search_by_key(&kmer, |(kmer, _)| *kmer);
            let bits = at.ok().and_then(|at| self.splits.get(at)).map_or(0, |(_, bits)| *bits);
            bits & later != 0
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::random_bases;

    #[test]
    fn shared_kmers_leak_only_to_later_splits() {
        let shared = random_bases(1, 30);
        let training = [random_bases(2, 50), shared.clone()].concat();
        let test = [random_bases(3, 50), shared].concat();
        let found = SharedKmers::new(&[&training, &test], &[Split::Training, Split::Test]);
        assert!(found.leaks(&training, Split::Training));
        assert!(!found.leaks(&training[..50], Split::Training));
        assert!(!found.leaks(&test, Split::Test));
    }
}
