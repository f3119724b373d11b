//! Helpers of several tests.

use std::cell::Cell;
use std::path::Path;

use vnp_job::{JobDirectory, Start, StopFlag};

use crate::data::record::LabelledRecord;
use crate::event::Event;
use crate::job::JOB;
use crate::rng::Rng;

/// A training's directory, new or entered again.
pub(crate) fn directory(path: &Path) -> JobDirectory {
    JobDirectory::open(path, &JOB, Start::Resume, Vec::new()).unwrap()
}

/// Runs `train` with an observer that asks for a stop, as signal 15, once `steps` steps are complete.
pub(crate) fn stopped_after<T>(
    steps: usize,
    train: impl FnOnce(&dyn Fn(Event<'_>), &StopFlag) -> T,
) -> T {
    let (stop, left) = (StopFlag::default(), Cell::new(steps));
    let request = || {
        if left.get() == 0 {
            stop.request(15);
        }
    };
    request();
    let observer = |event: Event<'_>| {
        if let Event::Step { .. } = event {
            left.set(left.get().wrapping_sub(1));
            request();
        }
    };
    train(&observer, &stop)
}

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
