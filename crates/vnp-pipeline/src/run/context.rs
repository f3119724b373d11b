//! The state that the steps of one session share, and which stages its goal requires.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::time::Instant;

use vnp_job::StopFlag;
use vnp_job::parts::{Stage, Track};

use crate::duplicates::DuplicateIds;
use crate::event::Event;
use crate::options::{Goal, ModelInfo, RunOptions};
use crate::survey::Survey;
use crate::worker::Work;

/// One session of a run.
pub(super) struct Run<'a> {
    pub(super) options: RunOptions,
    /// The inputs' names, as they were given.
    pub(super) inputs: Vec<OsString>,
    pub(super) tracks: &'static [Track],
    pub(super) model: &'a ModelInfo,
    pub(super) observer: &'a dyn Fn(Event<'_>),
    pub(super) stop: &'a StopFlag,
    pub(super) started: jiff::Timestamp,
    pub(super) began: Instant,
    /// Seconds spent outside of the stages.
    pub(super) seconds: BTreeMap<String, f64>,
    pub(super) work: Work,
}

impl Run<'_> {
    /// Whether the embeddings stay after their rows are scored.
    pub(super) fn keeps_embeddings(&self) -> bool {
        self.options.keep_embeddings || self.options.goal == Goal::Embeddings
    }

    /// The names in the column `input` of the tables; none in a run of one input.
    pub(super) fn input_column(&self) -> Vec<String> {
        if self.inputs.len() > 1 { self.input_names() } else { Vec::new() }
    }

    /// The inputs' names, as text.
    pub(super) fn input_names(&self) -> Vec<String> {
        let text = |name: &OsString| match name.to_str() {
            Some(name) => name.to_owned(),
            None => name.as_encoded_bytes().escape_ascii().to_string(),
        };
        self.inputs.iter().map(text).collect()
    }

    /// Whether ids are numbered in the tables.
    pub(super) fn numbers_ids(&self, survey: &Survey) -> bool {
        self.options.duplicate_ids == DuplicateIds::Number && survey.duplicate_ids > 0
    }

    /// The last stage of a track: a row with a part there is finished.
    pub(super) fn last_stage(&self, track: Track) -> Stage {
        match self.options.goal {
            Goal::Scores => Stage::scoring(track),
            Goal::Embeddings => Stage::Protein,
        }
    }

    /// The stages whose parts must cover every row of a track before the run is finished.
    pub(super) fn required_stages(&self, track: Track) -> &'static [Stage] {
        match (self.options.goal, track) {
            (Goal::Embeddings, Track::Frames) => &Stage::EMBEDDINGS,
            (Goal::Embeddings, Track::OrflessChunks) => &[],
            (Goal::Scores, track) if self.keeps_embeddings() => Stage::of_track(track),
            (Goal::Scores, Track::Frames) => &[Stage::Scores],
            (Goal::Scores, Track::OrflessChunks) => &[Stage::NucleotideOnly],
        }
    }
}
