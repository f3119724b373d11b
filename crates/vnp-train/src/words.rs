//! The words that sequences share: how relatives are told.

use std::collections::{HashMap, HashSet};

use rayon::prelude::*;

use crate::groups::sets::Sets;
use crate::part::Part;

/// The length of a word.
pub const WORD_LENGTH: usize = 21;

/// Words sorted at a time: 16 bytes each. Larger data is gone through several times.
const WORDS_AT_ONCE: usize = 1 << 26;

/// Of a word in more records than this, each record is compared with so many behind it: of a
/// thousand near copies each is found by its neighbours, and all are one group.
const NEIGHBOURS: usize = 64;

/// The canonical words of a sequence, the smaller of each word and its reverse complement; windows
/// with other letters than A, C, G and T have none.
///
/// ```
/// let of = |text: &str| vnp_train::words(text.as_bytes()).collect::<Vec<_>>();
/// assert_eq!(of("AAAAAAAAAAAAAAAAAAAAAC"), [0, 1]);
/// assert_eq!(of("GTTTTTTTTTTTTTTTTTTTTT"), [1, 0]);
/// ```
pub fn words(sequence: &[u8]) -> impl Iterator<Item = u64> + '_ {
    const MASK: u64 = (1 << (2 * WORD_LENGTH)) - 1;
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
        reverse = reverse >> 2 | (3 - code) << (2 * (WORD_LENGTH - 1));
        known += 1;
        (known >= WORD_LENGTH).then_some(forward.min(reverse))
    })
}

/// Goes through the words that two sequences or more have, with the numbers of those, ascending.
fn for_each_shared(sequences: &[&[u8]], mut visit: impl FnMut(u64, &[(u64, u32)])) {
    let bases: usize = sequences.iter().map(|sequence| sequence.len()).sum();
    let passes = bases.div_ceil(WORDS_AT_ONCE).max(1) as u64;
    for pass in 0..passes {
        let mut entries: Vec<(u64, u32)> = sequences
            .par_iter()
            .zip(0..u32::MAX)
            .flat_map_iter(|(sequence, number)| {
                // Neighbouring words differ by little: the factor spreads them.
                let here = move |word: &u64| {
                    passes == 1 || (word.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32) % passes == pass
                };
                words(sequence).filter(here).map(move |word| (word, number))
            })
            .collect();
        entries.par_sort_unstable();
        entries.dedup();
        for run in entries.chunk_by(|a, b| a.0 == b.0).filter(|run| run.len() > 1) {
            if let Some((word, _)) = run.first() {
                visit(*word, run);
            }
        }
    }
}

/// Joins the sequences that share at least `related` of the shorter one's distinct words.
pub(crate) fn join_relatives(sequences: &[&[u8]], related: f64, sets: &mut Sets) {
    let counts: Vec<usize> = sequences
        .par_iter()
        .map(|sequence| {
            let mut words: Vec<u64> = words(sequence).collect();
            words.sort_unstable();
            words.dedup();
            words.len()
        })
        .collect();
    let count = |number: u32| counts.get(number as usize).copied().unwrap_or_default();
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

/// The words that stand in more than one part.
#[derive(Debug, Clone, Default)]
pub struct SharedWords {
    /// Word and a bit for every part, sorted.
    parts: Vec<(u64, u8)>,
}

impl SharedWords {
    /// Of sequences in these parts.
    #[must_use]
    pub fn new(sequences: &[&[u8]], part_of: &[Part]) -> Self {
        let mut parts = Vec::new();
        for_each_shared(sequences, |word, run| {
            let part = |number: &u32| part_of.get(*number as usize).map_or(0, |part| part.bit());
            let bits = run.iter().fold(0, |bits, (_, number)| bits | part(number));
            if bits.count_ones() > 1 {
                parts.push((word, bits));
            }
        });
        parts.sort_unstable();
        Self { parts }
    }

    /// Whether a sequence of `part` shares a word with a later part: with it there, the later part
    /// would measure what was learned by heart.
    #[must_use]
    pub fn leaks(&self, sequence: &[u8], part: Part) -> bool {
        let later = Part::ALL.iter().filter(|other| **other > part).fold(0, |b, p| b | p.bit());
        words(sequence).any(|word| {
            let at = self.parts.binary_search_by_key(&word, |(word, _)| *word);
            let bits = at.ok().and_then(|at| self.parts.get(at)).map_or(0, |(_, bits)| *bits);
            bits & later != 0
        })
    }
}

/// The words of sequences that are kept for something else.
#[derive(Debug, Clone, Default)]
pub struct WordSet(HashSet<u64>);

impl WordSet {
    /// All words of these sequences.
    pub fn new<'a>(sequences: impl IntoIterator<Item = &'a [u8]>) -> Self {
        Self(sequences.into_iter().flat_map(words).collect())
    }

    /// Whether a sequence has one of them.
    #[must_use]
    pub fn touches(&self, sequence: &[u8]) -> bool {
        words(sequence).any(|word| self.0.contains(&word))
    }

    /// The share of a sequence's words that are among them; 0 for one without words.
    #[must_use]
    pub fn share(&self, sequence: &[u8]) -> f64 {
        let (mut all, mut found) = (0u64, 0u64);
        for word in words(sequence) {
            all += 1;
            found += u64::from(self.0.contains(&word));
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
            let mut words: Vec<_> = words(sequence).collect();
            words.sort_unstable();
            words
        };
        assert_eq!(sorted(&sequence), sorted(&reverse));
        assert_eq!(sorted(&sequence), sorted(&sequence.to_ascii_lowercase()));
        assert_eq!(sorted(&sequence).len(), 40);
        let broken = [&sequence[..25], b"N", &sequence[25..]].concat();
        assert_eq!(sorted(&broken).len(), 5 + 15);
        assert_eq!(words(&sequence[..20]).count(), 0);
    }

    #[test]
    fn shared_words_leak_only_to_later_parts() {
        let shared = random_bases(1, 30);
        let training = [random_bases(2, 50), shared.clone()].concat();
        let test = [random_bases(3, 50), shared].concat();
        let found = SharedWords::new(&[&training, &test], &[Part::Training, Part::Test]);
        assert!(found.leaks(&training, Part::Training));
        assert!(!found.leaks(&training[..50], Part::Training));
        assert!(!found.leaks(&test, Part::Test));
    }

    #[test]
    fn a_set_tells_how_much_of_a_sequence_it_has() {
        let set = WordSet::new([random_bases(4, 40).as_slice()]);
        let half = [random_bases(4, 40), random_bases(5, 40)].concat();
        assert!(set.touches(&half) && !set.touches(&random_bases(5, 40)));
        assert!((set.share(&half) - 20.0 / 60.0).abs() < 1e-9);
        assert_eq!(set.share(b"ACGT"), 0.0);
    }

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
