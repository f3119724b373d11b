//! Groups of related records, and their split into training, validation and test.

use std::collections::{BTreeMap, HashMap};

use rayon::prelude::*;

use super::data::Source;
use super::rng::Rng;

/// Length of the words that tell relatives.
pub(crate) const K: usize = 21;

/// The share of the shorter record's words from which on two records count as relatives. Below it lie
/// the genes that all of life shares (ribosomal RNA links any two bacteria), for which
/// [`Shared::chunk_parts`] drops single chunks.
pub(crate) const RELATED: f64 = 0.05;

/// The parts of the data, in the order of their precedence for shared words, lowest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Part {
    Train,
    Validation,
    Test,
}

impl Part {
    pub(crate) const ALL: [Self; 3] = [Self::Train, Self::Validation, Self::Test];

    fn bit(self) -> u8 {
        1 << self as u8
    }

    fn share(self) -> f64 {
        match self {
            Self::Train => 0.70,
            Self::Validation | Self::Test => 0.15,
        }
    }
}

/// The canonical words of a sequence; windows with other letters than A, C, G and T have none.
pub(crate) fn words(sequence: &[u8]) -> impl Iterator<Item = u64> + '_ {
    const MASK: u64 = (1 << (2 * K)) - 1;
    let (mut forward, mut reverse, mut known) = (0u64, 0u64, 0usize);
    sequence.iter().filter_map(move |letter| {
        let code = match letter {
            b'A' => 0,
            b'C' => 1,
            b'G' => 2,
            b'T' => 3,
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

/// Which records have which words.
#[derive(Debug)]
pub(crate) struct WordIndex {
    /// Word and record, sorted, without repeats.
    entries: Vec<(u64, u32)>,
    /// Distinct words of every record.
    counts: Vec<u32>,
}

impl WordIndex {
    pub(crate) fn new(sequences: &[&[u8]]) -> Self {
        let mut entries: Vec<(u64, u32)> = sequences
            .par_iter()
            .enumerate()
            .flat_map_iter(|(i, sequence)| words(sequence).map(move |word| (word, i as u32)))
            .collect();
        entries.par_sort_unstable();
        entries.dedup();
        let mut counts = vec![0; sequences.len()];
        for (_, record) in &entries {
            counts[*record as usize] += 1;
        }
        Self { entries, counts }
    }

    fn words(&self) -> impl Iterator<Item = (u64, &[(u64, u32)])> {
        self.entries.chunk_by(|a, b| a.0 == b.0).map(|run| (run[0].0, run))
    }

    /// The number of words that each two records share.
    fn shared(&self) -> HashMap<(u32, u32), u32> {
        let mut shared = HashMap::new();
        for (_, run) in self.words() {
            for (i, (_, first)) in run.iter().enumerate() {
                for (_, second) in &run[i + 1..] {
                    *shared.entry((*first, *second)).or_insert(0) += 1;
                }
            }
        }
        shared
    }
}

/// The group of every record, numbered by first appearance: records belong together that share a
/// name, or at least [`RELATED`] of the shorter one's words.
pub(crate) fn groups(sources: &[Source], index: &WordIndex) -> Vec<usize> {
    let mut sets = Sets((0..sources.len()).collect());
    let mut by_name: HashMap<&str, usize> = HashMap::new();
    for (i, source) in sources.iter().enumerate() {
        for name in &source.names {
            let first = *by_name.entry(name).or_insert(i);
            sets.join(first, i);
        }
    }
    for ((first, second), shared) in index.shared() {
        let shorter = index.counts[first as usize].min(index.counts[second as usize]);
        if f64::from(shared) >= RELATED * f64::from(shorter) {
            sets.join(first as usize, second as usize);
        }
    }
    let mut numbers = HashMap::new();
    (0..sources.len())
        .map(|i| {
            let next = numbers.len();
            *numbers.entry(sets.root(i)).or_insert(next)
        })
        .collect()
}

/// The part of every group: about 70, 15 and 15 % of the bases of each kind of organism. Groups are
/// taken in a random order, each for the part that lacks most of its share.
pub(crate) fn split(sources: &[Source], groups: &[usize], seed: u64) -> Vec<Part> {
    let count = groups.iter().max().map_or(0, |last| last + 1);
    let mut bases = vec![0usize; count];
    let mut by_kind = vec![BTreeMap::new(); count];
    for (source, group) in sources.iter().zip(groups) {
        bases[*group] += source.sequence.len();
        *by_kind[*group].entry(source.kind.as_str()).or_insert(0) += source.sequence.len();
    }
    // The kind with most of a group's bases stands for it.
    let kinds: Vec<Option<&str>> = by_kind
        .iter()
        .map(|kinds| kinds.iter().max_by_key(|(_, bases)| **bases).map(|(kind, _)| *kind))
        .collect();
    let mut names: Vec<&str> = kinds.iter().copied().flatten().collect();
    names.sort_unstable();
    names.dedup();
    let mut parts = vec![Part::Train; count];
    for name in names {
        let mut members: Vec<usize> = (0..count).filter(|g| kinds[*g] == Some(name)).collect();
        Rng::new(seed, &format!("split {name}")).shuffle(&mut members);
        // Large groups first: they fit into few places.
        members.sort_by_key(|group| std::cmp::Reverse(size_class(bases[*group])));
        let total: usize = members.iter().map(|group| bases[*group]).sum();
        let mut taken = [0usize; 3];
        for group in members {
            let lacking = |part: Part| {
                part.share() * total as f64 - taken[part as usize] as f64 - bases[group] as f64
            };
            let best = Part::ALL.into_iter().max_by(|a, b| lacking(*a).total_cmp(&lacking(*b)));
            let part = best.unwrap_or(Part::Train);
            taken[part as usize] += bases[group];
            parts[group] = part;
        }
    }
    parts
}

/// Sizes within a factor of four count as equal, so that chance and not size orders them.
fn size_class(bases: usize) -> u32 {
    bases.max(1).ilog2() / 2
}

/// Words that stand in more than one part, or in sequences that are kept for something else.
#[derive(Debug)]
pub(crate) struct Shared {
    /// Sorted by word, with a bit for every part.
    parts: Vec<(u64, u8)>,
    /// Sorted.
    foreign: Vec<u64>,
}

impl Shared {
    pub(crate) fn new(index: &WordIndex, part_of: &[Part], foreign: &[Vec<u8>]) -> Self {
        let parts = index.words().filter_map(|(word, run)| {
            let bits = run.iter().fold(0, |bits, (_, i)| bits | part_of[*i as usize].bit());
            (bits.count_ones() > 1).then_some((word, bits))
        });
        let parts = parts.collect();
        let mut foreign: Vec<u64> = foreign.iter().flat_map(|sequence| words(sequence)).collect();
        foreign.sort_unstable();
        foreign.dedup();
        Self { parts, foreign }
    }

    /// Whether a sequence shares a word with the foreign sequences.
    pub(crate) fn is_foreign(&self, sequence: &[u8]) -> bool {
        words(sequence).any(|word| self.foreign.binary_search(&word).is_ok())
    }

    /// The share of a sequence's words that stand in the foreign sequences.
    pub(crate) fn foreign_share(&self, sequence: &[u8]) -> f64 {
        let (mut all, mut found) = (0u32, 0u32);
        for word in words(sequence) {
            all += 1;
            found += u32::from(self.foreign.binary_search(&word).is_ok());
        }
        f64::from(found) / f64::from(all.max(1))
    }

    /// Whether a chunk of `part` shares a word with a part of higher precedence.
    pub(crate) fn leaks(&self, chunk: &[u8], part: Part) -> bool {
        let above = Part::ALL.iter().filter(|other| **other > part).fold(0, |b, p| b | p.bit());
        words(chunk).any(|word| {
            let at = self.parts.binary_search_by_key(&word, |(word, _)| *word);
            at.is_ok_and(|at| self.parts[at].1 & above != 0)
        })
    }
}

/// Disjoint sets of 0..n.
struct Sets(Vec<usize>);

impl Sets {
    fn root(&mut self, mut i: usize) -> usize {
        while self.0[i] != i {
            self.0[i] = self.0[self.0[i]];
            i = self.0[i];
        }
        i
    }

    /// The smaller root stays, so that the result does not depend on the order of joins.
    fn join(&mut self, a: usize, b: usize) {
        let (a, b) = (self.root(a), self.root(b));
        self.0[a.max(b)] = a.min(b);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(names: &[&str], sequence: &[u8]) -> Source {
        Source {
            id: String::new(),
            is_virus: false,
            names: names.iter().map(|name| (*name).to_owned()).collect(),
            kind: "k".to_owned(),
            sequence: sequence.to_vec(),
        }
    }

    fn random(seed: u64, length: usize) -> Vec<u8> {
        let mut rng = Rng::new(seed, "sequence");
        (0..length).map(|_| b"ACGT"[rng.below(4)]).collect()
    }

    #[test]
    fn a_word_and_its_reverse_complement_are_one() {
        let sequence = random(1, 60);
        let reverse: Vec<u8> = sequence
            .iter()
            .rev()
            .map(|b| match b {
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
        assert_eq!(sorted(&sequence).len(), 40);
        let broken = [&sequence[..25], b"N", &sequence[25..]].concat();
        assert_eq!(sorted(&broken).len(), 5 + 15);
        assert_eq!(words(&sequence[..20]).count(), 0);
    }

    #[test]
    fn records_join_by_name_and_by_words() {
        let shared = random(1, 300);
        let sources = [
            source(&["a"], &random(2, 300)),
            source(&["b"], &shared),
            source(&["c"], &[random(3, 200), shared[..60].to_vec()].concat()),
            source(&["d"], &random(4, 300)),
            source(&["e", "a"], &random(5, 300)),
        ];
        let sequences: Vec<&[u8]> = sources.iter().map(|s| s.sequence.as_slice()).collect();
        assert_eq!(groups(&sources, &WordIndex::new(&sequences)), [0, 1, 1, 2, 0]);
    }

    #[test]
    fn a_split_keeps_shares_and_repeats() {
        let sources: Vec<_> = (0..200).map(|_| source(&[], &[b'A'; 100])).collect();
        let groups: Vec<_> = (0..200).collect();
        let parts = split(&sources, &groups, 1);
        let count = |part| parts.iter().filter(|p| **p == part).count();
        assert_eq!(Part::ALL.map(count), [140, 30, 30]);
        assert_eq!(parts, split(&sources, &groups, 1));
        assert_ne!(parts, split(&sources, &groups, 2));
    }

    #[test]
    fn shared_words_leak_only_upwards() {
        let shared = random(1, 30);
        let train = [random(2, 50), shared.clone()].concat();
        let test = [random(3, 50), shared].concat();
        let index = WordIndex::new(&[&train, &test]);
        let found = Shared::new(&index, &[Part::Train, Part::Test], &[random(4, 40)]);
        assert!(found.leaks(&train, Part::Train));
        assert!(!found.leaks(&train[..50], Part::Train));
        assert!(!found.leaks(&test, Part::Test));
        assert!(found.is_foreign(&random(4, 40)) && !found.is_foreign(&train));
        assert!((found.foreign_share(&random(4, 40)) - 1.0).abs() < 1e-9);
    }
}
