//! Joins sequences that have k-mers in common.

use std::collections::HashMap;

use rayon::prelude::*;

use crate::data::kmers::{for_each_shared, kmers};
use crate::data::sets::Sets;

/// A record is compared with at most this many of the next records that share a k-mer: of a thousand
/// near copies each is found by its neighbours, and all are one group.
const NEIGHBOURS: usize = 64;

/// Joins the sequences that share at least `related` of the shorter one's distinct k-mers.
#[expect(clippy::indexing_slicing, reason = "there is a count for every sequence")]
pub(crate) fn join_relatives(sequences: &[&[u8]], related: f64, sets: &mut Sets) {
    let counts: Vec<usize> = sequences
        .par_iter()
        .map(|sequence| {
            let mut kmers: Vec<u64> = kmers(sequence).collect();
            kmers.sort_unstable();
            kmers.dedup();
            kmers.len()
        })
        .collect();
    let count = |number: u32| counts[number as usize];
    let mut shared: HashMap<(u32, u32), u32> = HashMap::new();
    for_each_shared(sequences, |_, run| {
        for (at, (_, first)) in run.iter().enumerate() {
            for (_, second) in run.iter().skip(at + 1).take(NEIGHBOURS) {
                if sets.are_joined(*first as usize, *second as usize) {
                    continue;
                }
                let pair = (*first, *second);
                let so_far = shared.entry(pair).or_insert(0);
                *so_far += 1;
                if f64::from(*so_far) >= related * count(*first).min(count(*second)) as f64 {
                    shared.remove(&pair);
                    sets.join(*first as usize, *second as usize);
                }
            }
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::random_bases;

    /// Each near copy is compared with its neighbours only, and all are joined.
    #[test]
    fn many_near_copies_are_one_group() {
        let original = random_bases(1, 200);
        let copies: Vec<Vec<u8>> = (0..300)
            .map(|i| {
                let mut copy = original.clone();
                copy[i % 200] = b'A';
                copy
            })
            .collect();
        let sequences: Vec<&[u8]> = copies.iter().map(Vec::as_slice).collect();
        let mut sets = Sets::new(300);
        join_relatives(&sequences, 0.05, &mut sets);
        assert!((0..300).all(|i| sets.are_joined(0, i)));
    }
}
