//! The k-mers that sequences share, by which relatives are recognised.

use std::collections::HashSet;

use rayon::prelude::*;

/// The length of a k-mer.
const K: usize = 21;

/// K-mers sorted at a time, 16 bytes each. Larger data takes several passes.
const KMERS_AT_ONCE: usize = 1 << 26;

/// The canonical k-mers of a sequence: the smaller of each k-mer and its reverse complement. Windows
/// with letters other than A, C, G and T have none.
pub(crate) fn kmers(sequence: &[u8]) -> impl Iterator<Item = u64> + '_ {
    const MASK: u64 = (1 << (2 * K)) - 1;
    let (mut forward, mut reverse, mut known) = (0u64, 0u64, 0usize);
    sequence.iter().filter_map(move |letter| {
        let code = match letter {
            b'A' | b'a' => 0,
            b'C' | b'c' => 1,
            b'G' | b'g' => 2,
            b'T' | b't' => 3,
            _ => {
                known = 0;
                return None;
            }
        };
        forward = (forward << 2 | code) & MASK;
        reverse = reverse >> 2 | (3 - code) << (2 * (K - 1));
        known += 1;
        (known >= K).then_some(forward.min(reverse))
    })
}

/// Visits the k-mers that two or more sequences share, with the indices of those, ascending.
pub(crate) fn for_each_shared(sequences: &[&[u8]], mut visit: impl FnMut(u64, &[(u64, u32)])) {
    let bases: usize = sequences.iter().map(|sequence| sequence.len()).sum();
    let passes = bases.div_ceil(KMERS_AT_ONCE).max(1) as u64;
    for pass in 0..passes {
        let mut entries: Vec<(u64, u32)> = sequences
            .par_iter()
            .zip(0..u32::MAX)
            .flat_map_iter(|(sequence, number)| {
                // Neighbouring k-mers differ by little: the factor spreads them.
                let here = move |kmer: &u64| {
                    passes == 1 || (kmer.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32) % passes == pass
                };
                kmers(sequence).filter(here).map(move |kmer| (kmer, number))
            })
            .collect();
        entries.par_sort_unstable();
        entries.dedup();
        for run in entries.chunk_by(|a, b| a.0 == b.0).filter(|run| run.len() > 1) {
            if let Some((kmer, _)) = run.first() {
                visit(*kmer, run);
            }
        }
    }
}

/// The k-mers of some sequences.
#[derive(Debug, Clone, Default)]
pub struct KmerSet(HashSet<u64>);

impl KmerSet {
    /// The length of a k-mer.
    pub const K: usize = K;

    /// All k-mers of these sequences.
    pub fn new<'a>(sequences: impl IntoIterator<Item = &'a [u8]>) -> Self {
        Self(sequences.into_iter().flat_map(kmers).collect())
    }

    /// Whether a sequence has one of them.
    #[must_use]
    pub fn touches(&self, sequence: &[u8]) -> bool {
        kmers(sequence).any(|kmer| self.0.contains(&kmer))
    }

    /// The share of a sequence's k-mers that are among them; 0 for one without k-mers.
    #[must_use]
    pub fn share(&self, sequence: &[u8]) -> f64 {
        let (mut all, mut found) = (0u64, 0u64);
        for kmer in kmers(sequence) {
            all += 1;
            found += u64::from(self.0.contains(&kmer));
        }
        found as f64 / all.max(1) as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::random_bases;

    #[test]
    fn a_word_and_its_reverse_complement_are_one() {
        let sequence = random_bases(1, 60);
        let reverse: Vec<u8> = sequence
            .iter()
            .rev()
            .map(|base| match base {
                b'A' => b'T',
                b'C' => b'G',
                b'G' => b'C',
                _ => b'A',
            })
            .collect();
        let sorted = |sequence: &[u8]| {
            let mut kmers: Vec<_> = kmers(sequence).collect();
            kmers.sort_unstable();
            kmers
        };
        assert_eq!(sorted(&sequence), sorted(&reverse));
        assert_eq!(sorted(&sequence), sorted(&sequence.to_ascii_lowercase()));
        assert_eq!(sorted(&sequence).len(), 40);
        let broken = [&sequence[..25], b"N", &sequence[25..]].concat();
        assert_eq!(sorted(&broken).len(), 5 + 15);
        assert_eq!(kmers(&sequence[..20]).count(), 0);
    }

    #[test]
    fn a_kmer_is_the_smaller_of_both_strands() {
        let of = |text: &str| kmers(text.as_bytes()).collect::<Vec<_>>();
        assert_eq!(of("AAAAAAAAAAAAAAAAAAAAAC"), [0, 1]);
        assert_eq!(of("GTTTTTTTTTTTTTTTTTTTTT"), [1, 0]);
    }

    #[test]
    fn a_set_tells_how_much_of_a_sequence_it_has() {
        let set = KmerSet::new([random_bases(4, 40).as_slice()]);
        let half = [random_bases(4, 40), random_bases(5, 40)].concat();
        assert!(set.touches(&half) && !set.touches(&random_bases(5, 40)));
        assert!((set.share(&half) - 20.0 / 60.0).abs() < 1e-9);
        assert_eq!(set.share(b"ACGT"), 0.0);
    }
}
