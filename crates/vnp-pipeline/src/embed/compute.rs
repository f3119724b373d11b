//! Computing the rows that no part holds, in slices of about a second, and saving them.

use std::time::{Duration, Instant};

use vnp_ckpt::RowRange;
use vnp_infer::Encoder;
use vnp_job::parts::{Inventory, Part, Provenance, RowStatus, Rows, Stage};
use vnp_job::{JobDirectory, SaveClock, StopFlag};

use super::event::EmbedEvent;
use super::identity::EmbedIdentity;
use super::records::{EmbedRecord, Records};
use crate::error::Error;
use crate::worker::batch_size::flops_in_time;

/// How long a slice should take: a stop is answered, and a save is made, between two slices.
const TARGET: Duration = Duration::from_secs(1);
/// Letters of the first slice but one; of the first, a single record, the cost is estimated.
const FIRST_LETTERS: u64 = 1 << 12;
/// Letters up to which a slice has a record for each thread.
const SHORT_LETTERS: u64 = 1 << 15;
const MOST_LETTERS: u64 = 1 << 24;
/// Rows of a slice at most, whatever their length.
const MOST_ROWS: usize = 1 << 16;

/// Computes rows on one device and saves them as parts.
pub(super) struct Computation<'a> {
    pub(super) directory: &'a JobDirectory,
    pub(super) stage: Stage,
    pub(super) encoder: &'a dyn Encoder,
    pub(super) provenance: Provenance<EmbedIdentity>,
    pub(super) observer: &'a dyn Fn(EmbedEvent<'_>),
    pub(super) stop: &'a StopFlag,
    /// None before the first slice.
    pub(super) slice_letters: Option<u64>,
    pub(super) clock: SaveClock,
}

impl<'a> Computation<'a> {
    pub(super) fn new(
        directory: &'a JobDirectory,
        stage: Stage,
        encoder: &'a dyn Encoder,
        provenance: Provenance<EmbedIdentity>,
        interval: Duration,
        observer: &'a dyn Fn(EmbedEvent<'_>),
        stop: &'a StopFlag,
    ) -> Self {
        Self {
            directory,
            stage,
            encoder,
            provenance,
            observer,
            stop,
            slice_letters: None,
            clock: SaveClock::new(interval, stop),
        }
    }

    /// Computes the rows of `windows` (ascending, disjoint) from `records`, and adds their parts to the
    /// inventory.
    pub(super) fn run(
        &mut self,
        mut records: Records,
        windows: &[RowRange],
        inventory: &mut Inventory,
    ) -> Result<(), Error> {
        let mut next = 0;
        for &window in windows {
            while next < window.start {
                self.stop.check()?;
                record(&mut records, next)?;
                next += 1;
            }
            self.window(&mut records, window, inventory)?;
            next = window.end;
        }
        Ok(())
    }

    fn window(
        &mut self,
        records: &mut Records,
        window: RowRange,
        inventory: &mut Inventory,
    ) -> Result<(), Error> {
        let mut part = self.no_rows();
        let mut unsaved = None;
        let (mut start, mut at) = (window.start, window.start);
        while at < window.end {
            let outcome = match self.read(records, at, window.end) {
                Ok(slice) => match self.slice(at, &slice, &mut part) {
                    Ok(()) => Ok(slice.len() as u64),
                    // By a stop, which is seen below.
                    Err(error) if error.is_given_up() => Ok(0),
                    Err(error) => Err(error),
                },
                Err(error) => Err(error),
            };
            if !part.is_empty() {
                unsaved.get_or_insert_with(|| self.stop.unsaved());
            }
            at += outcome.as_ref().map_or(0, |rows| *rows);
            // Asked once: a stop that came after the save would cost the rows that are not saved.
            let stopped = self.stop.check();
            // Also when reading or the encoder failed: the rows before are good.
            let ends = outcome.is_err() || stopped.is_err() || at == window.end;
            if (ends || self.clock.is_due(self.stop)) && !part.is_empty() {
                inventory.add(self.save(start, &part)?);
                start = at;
                part = self.no_rows();
                unsaved = None;
            }
            outcome?;
            stopped?;
        }
        Ok(())
    }

    fn no_rows(&self) -> Rows {
        Rows::with_capacity(0, self.encoder.hidden_size())
    }

    /// The records of the next slice, which begins with row `at`.
    fn read(&self, records: &mut Records, at: u64, end: u64) -> Result<Vec<EmbedRecord>, Error> {
        let (mut slice, mut letters) = (Vec::new(), 0);
        let is_full = |rows: usize, letters: u64| match self.slice_letters {
            // A record for each thread takes no longer than one.
            Some(_) if rows < self.encoder.threads().unwrap_or(1) => letters >= SHORT_LETTERS,
            Some(most) => letters >= most,
            None => rows > 0,
        };
        while at + (slice.len() as u64) < end
            && slice.len() < MOST_ROWS
            && !is_full(slice.len(), letters)
        {
            let record = record(records, at + slice.len() as u64)?;
            letters += record.letters.len() as u64;
            slice.push(record);
        }
        Ok(slice)
    }

    fn slice(&mut self, at: u64, slice: &[EmbedRecord], part: &mut Rows) -> Result<(), Error> {
        let began = Instant::now();
        let sound = || slice.iter().filter(|record| record.failure.is_none());
        let sequences: Vec<&str> = sound().map(|record| record.letters.as_str()).collect();
        let letters = sequences.iter().map(|sequence| sequence.len() as u64).sum();
        if self.slice_letters.is_none() && letters > 0 {
            let per_letter = self.encoder.cost(&sequences)?.flops / letters as f64;
            let in_time = flops_in_time(self.encoder.threads()) / per_letter.max(1.0);
            self.slice_letters = Some((in_time as u64).clamp(1, FIRST_LETTERS));
        }
        let width = self.encoder.hidden_size();
        let embeddings = if sequences.is_empty() { Vec::new() } else { self.embed(&sequences)? };
        let (expected, found) = (sequences.len().saturating_mul(width), embeddings.len());
        if expected != found {
            return Err(Error::ModelShape { stage: self.stage.name(), expected, found });
        }
        let (zeros, mut embeddings) = (vec![0.0; width], embeddings.chunks_exact(width.max(1)));
        for record in slice {
            let embedding = if record.failure.is_none() { embeddings.next() } else { None };
            match embedding {
                Some(embedding) => part.push(record.source(), embedding),
                None => part.push_as(record.source(), &zeros, RowStatus::Failed),
            }
        }
        self.learn(letters, began.elapsed());
        (self.observer)(EmbedEvent::Computed(RowRange::new(at, at + slice.len() as u64)));
        Ok(())
    }

    fn embed(&self, sequences: &[&str]) -> Result<Vec<f32>, Error> {
        Ok(self.encoder.embed_unless(sequences, &|| self.stop.requested().is_some())?)
    }

    /// Adapts the slices to the speed of the device, by a slice that took `time`. The number has no
    /// influence on the results: on a CPU a row is a function of its sequence.
    fn learn(&mut self, letters: u64, time: Duration) {
        let Some(most) = &mut self.slice_letters else { return };
        if time > TARGET * 2 {
            *most = (*most / 2).max(1);
        } else if time < TARGET / 2 && letters >= *most {
            // The rest of a window says little about full slices.
            *most = (*most * 2).min(MOST_LETTERS);
        }
    }

    fn save(&mut self, start: u64, rows: &Rows) -> Result<Part, Error> {
        self.clock.begin(self.stop);
        self.directory.check_lock()?;
        let directory = self.directory.stage(self.stage.name());
        let part = Part::save(&directory, self.stage, start, rows, &self.provenance)?;
        self.clock.saved();
        (self.observer)(EmbedEvent::Saved(part.rows));
        Ok(part)
    }
}

/// The record of row `at`, which comes next.
fn record(records: &mut Records, at: u64) -> Result<EmbedRecord, Error> {
    let ended = || Error::InputChanged { found: format!("it ended after {at} records") };
    records.next()?.ok_or_else(ended)
}
