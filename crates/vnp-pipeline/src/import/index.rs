//! Which rows of the input the old files hold, by id and sequence.

use std::collections::HashMap;

use vnp_job::BadFile;
use vnp_job::parts::{RowSet, Stage};
use vnp_seq::FrameRow;

use super::features::{FeatureFile, Features};

/// How many rows of each file are computed again and compared.
pub(super) const CHECKED_ROWS: usize = 32;

/// A row that an old file has for a row of the run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Match {
    /// The row of the run.
    pub(super) row: u64,
    /// The file, by its place in the list.
    pub(super) file: usize,
    /// The row of the file.
    pub(super) at: usize,
}

/// A row to compute again.
#[derive(Clone, Debug)]
pub(super) struct Sample {
    pub(super) at: usize,
    pub(super) id: String,
    pub(super) sequence: String,
}

/// Which row of which file each id has, and what the frames of the input made of it.
#[derive(Debug)]
pub(super) struct Index<'f> {
    files: &'f [FeatureFile],
    places: HashMap<Stage, HashMap<&'f str, Place>>,
    matches: HashMap<Stage, Vec<Match>>,
    samples: Vec<Samples>,
    /// Why a file cannot be used, by its place; the first reason stays.
    wrong: Vec<Option<String>>,
}

#[derive(Clone, Copy, Debug)]
struct Place {
    file: usize,
    at: usize,
    taken: bool,
}

/// A random choice among the rows of one file that are wanted.
#[derive(Clone, Debug, Default)]
struct Samples {
    seen: u64,
    kept: Vec<Sample>,
}

impl<'f> Index<'f> {
    /// Indexes the ids. One that occurs twice in a stage spoils every file that has it: it is
    /// ambiguous which row is meant.
    pub(super) fn new(features: &'f Features) -> Self {
        let files = features.files.as_slice();
        let mut index = Self {
            files,
            places: HashMap::new(),
            matches: HashMap::new(),
            samples: vec![Samples::default(); files.len()],
            wrong: vec![None; files.len()],
        };
        for (number, file) in files.iter().enumerate() {
            for (at, id) in file.ids.iter().enumerate() {
                let place = Place { file: number, at, taken: false };
                if let Some(before) = index.places.entry(file.stage).or_default().insert(id, place)
                {
                    let reason =
                        format!("the id `{id}` occurs twice among the {} rows", file.stage);
                    index.spoil(before.file, &reason);
                    index.spoil(number, &reason);
                }
            }
        }
        index
    }

    /// Looks a frame up in one stage.
    pub(super) fn look_up(&mut self, stage: Stage, row: u64, frame: &FrameRow, sequence: &str) {
        let ids = self.places.get_mut(&stage);
        let Some(place) = ids.and_then(|ids| ids.get_mut(frame.id.as_str())) else { return };
        let Place { file, at, taken } = *place;
        place.taken = true;
        let made_of =
            self.files.get(file).is_some_and(|file| file.was_made_of(&frame.id, sequence));
        if taken {
            let reason =
                format!("the input has two frames `{}`: rows cannot be distinguished", frame.id);
            self.spoil(file, &reason);
        } else if !made_of {
            let reason = format!("`{}` was another sequence when its row was made", frame.id);
            self.spoil(file, &reason);
        } else {
            self.matches.entry(stage).or_default().push(Match { row, file, at });
            if let Some(samples) = self.samples.get_mut(file) {
                samples.offer(at, &frame.id, sequence);
            }
        }
    }

    /// The rows to compute again of each file that is not spoiled yet.
    pub(super) fn samples(&self) -> impl Iterator<Item = (usize, &'f FeatureFile, &[Sample])> {
        let files = self.files.iter().enumerate().zip(&self.samples).zip(&self.wrong);
        files
            .filter(|(_, wrong)| wrong.is_none())
            .map(|(((number, file), samples), _)| (number, file, samples.kept.as_slice()))
    }

    /// A file must not be used; the first reason is kept.
    pub(super) fn spoil(&mut self, file: usize, reason: &str) {
        if let Some(wrong) = self.wrong.get_mut(file) {
            wrong.get_or_insert_with(|| reason.to_owned());
        }
    }

    /// The files that must not be used.
    pub(super) fn bad(&self) -> Vec<BadFile> {
        let files = self.files.iter().zip(&self.wrong);
        let bad = files.filter_map(|(file, wrong)| {
            let reason = wrong.clone()?;
            Some(BadFile { path: file.path.clone(), reason })
        });
        bad.collect()
    }

    /// The rows of a stage to be taken, of good files, by row of the run.
    pub(super) fn matches(&self, stage: Stage) -> Vec<Match> {
        let all = self.matches.get(&stage).map(Vec::as_slice).unwrap_or_default();
        let good = |found: &&Match| self.wrong.get(found.file).is_some_and(Option::is_none);
        all.iter().filter(good).copied().collect()
    }
}

impl Samples {
    /// Reservoir sampling: each row offered is kept with the same probability.
    fn offer(&mut self, at: usize, id: &str, sequence: &str) {
        self.seen += 1;
        let sample = || Sample { at, id: id.to_owned(), sequence: sequence.to_owned() };
        if self.kept.len() < CHECKED_ROWS {
            self.kept.push(sample());
            return;
        }
        // The choice need not be secret, only spread: a hash of the id does.
        let place = twox_hash::XxHash3_64::oneshot(id.as_bytes()) % self.seen;
        let kept = usize::try_from(place).ok().and_then(|place| self.kept.get_mut(place));
        if let Some(kept) = kept {
            *kept = sample();
        }
    }
}

/// Whether a row is among those that a stage lacks.
pub(super) fn is_wanted(wanted: &RowSet, row: u64) -> bool {
    wanted.covers(vnp_ckpt::RowRange::new(row, row + 1))
}
