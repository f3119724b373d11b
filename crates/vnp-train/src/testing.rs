//! Helpers of several tests.

use crate::data::record::LabelledRecord;
use crate::rng::Rng;

/// Random bases, the same for a seed.
pub(crate) fn random_bases(seed: u64, length: usize) -> Vec<u8> {
    let mut rng = Rng::new(seed, "sequence");
    (0..length).map(|_| b"ACGT"[rng.below(4)]).collect()
}

/// Bases poor in T, and so in stop codons of both strands: most of their chunks have ORFs.
pub(crate) fn open_bases(seed: u64, length: usize) -> Vec<u8> {
    let mut rng = Rng::new(seed, "open");
    let letter = |number| if number == 0 { b'T' } else { b"CGCGA"[number % 5] };
    (0..length).map(|_| letter(rng.below(40))).collect()
}

pub(crate) fn record(id: &str, is_virus: bool, names: &[&str], sequence: &[u8]) -> LabelledRecord {
    LabelledRecord {
        id: id.to_owned(),
        is_virus,
        names: names.iter().map(|name| (*name).to_owned()).collect(),
        kind: String::new(),
        sequence: sequence.to_vec(),
        coding: None,
    }
}
