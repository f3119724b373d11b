//! Embeddings from a run directory of the Python tools, taken by id.
//!
//! Their files cannot be trusted to pair ids and rows: resumed runs of the refactor carry shuffled
//! ids. So rows are taken only from files that are whole, whose ids are unique, whose sequences
//! (where the FASTA files are still there) are those of the input, and of which a random choice of
//! rows comes out of the encoder again. The directory is only read.

pub(crate) mod features;
mod index;

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use vnp_escape::escaped_path;
use vnp_infer::Model;
use vnp_job::parts::{RowSet, Rows, Stage};
use vnp_job::{BadFile, OnBadFile, StopFlag};
use vnp_seq::{FrameReader, FrameRow};

use crate::error::Error;
use crate::row::Row;
use features::{FeatureFile, Features};
use index::{Index, Match, Sample, is_wanted};

/// The largest difference between a row and what the encoder gives, relative to the latter's
/// length: far above what half precision makes of a row, far below another row.
const TOLERANCE: f32 = 0.05;

/// How many old files are cached in memory.
const CACHED_FILES: usize = 4;

/// What is to be imported, and how.
pub(crate) struct Request<'a> {
    /// The directory of the old run.
    pub(crate) dir: &'a Path,
    /// The rows that are missing in each embedding stage.
    pub(crate) wanted: HashMap<Stage, RowSet>,
    /// The width of a row of a stage.
    pub(crate) width_of: &'a dyn Fn(Stage) -> usize,
    /// Encoders to compare with; without them, rows are trusted.
    pub(crate) model: Option<&'a Model>,
    /// What a bad file means.
    pub(crate) on_bad: OnBadFile,
    /// Rows in a part at most.
    pub(crate) part_rows: u64,
    /// Receives the bad files.
    pub(crate) record_bad: &'a dyn Fn(&[BadFile]),
    /// Ends it early; what was saved until then stays.
    pub(crate) stop: &'a StopFlag,
}

/// Hands over the rows of the old directory as parts: stage, first row, rows.
///
/// `frames` opens the input; it is read twice.
pub(crate) fn import(
    request: &Request<'_>,
    frames: &dyn Fn() -> Result<FrameReader, Error>,
    save: &mut dyn FnMut(Stage, u64, &Rows) -> Result<(), Error>,
) -> Result<(), Error> {
    let features = Features::open(request.dir, request.width_of)?;
    if features.files.is_empty() && features.bad.is_empty() {
        return Err(Error::NoOldFeatures { path: request.dir.to_owned() });
    }
    let mut index = Index::new(&features);
    for_each_frame(frames()?, request.stop, &mut |row, frame| {
        for (&stage, wanted) in &request.wanted {
            if is_wanted(wanted, row) {
                index.look_up(stage, row, frame, sequence_of(stage, frame));
            }
        }
        Ok(())
    })?;
    check(&mut index, request)?;
    let bad = [features.bad.clone(), index.bad()].concat();
    (request.record_bad)(&bad);
    if !bad.is_empty() && request.on_bad == OnBadFile::Refuse {
        return Err(Error::BadOldFiles { files: bad });
    }
    for stage in Stage::EMBEDDINGS {
        let matches = index.matches(stage);
        log::info!("{} {stage} rows taken from {}", matches.len(), escaped_path(&request.dir));
        let mut taker = Taker::new(&features.files, stage, matches, request);
        let each = &mut |row, frame: &FrameRow| taker.frame(row, frame, save);
        let read = for_each_frame(frames()?, request.stop, each);
        // Also when a stop was requested: the rows so far are good.
        if read.as_ref().err().is_none_or(|error| error.interrupted().is_some()) {
            taker.flush(save)?;
        }
        read?;
    }
    Ok(())
}

fn sequence_of(stage: Stage, frame: &FrameRow) -> &str {
    match stage {
        Stage::Nucleotide => &frame.nucleotide,
        _ => &frame.protein,
    }
}

fn for_each_frame(
    mut reader: FrameReader,
    stop: &StopFlag,
    each: &mut dyn FnMut(u64, &FrameRow) -> Result<(), Error>,
) -> Result<(), Error> {
    let mut row = 0;
    while let Some(block) = reader.next_block()? {
        stop.check()?;
        for frame in &block.rows {
            each(row, frame)?;
            row += 1;
        }
    }
    Ok(())
}

/// Computes some rows of each file again, and spoils the files whose rows differ.
fn check(index: &mut Index<'_>, request: &Request<'_>) -> Result<(), Error> {
    let Some(model) = request.model else {
        log::warn!(
            "no encoder is at hand: that the rows in {} belong to their ids cannot be checked",
            escaped_path(&request.dir)
        );
        return Ok(());
    };
    let mut wrong = Vec::new();
    let mut checked = 0;
    for (number, file, samples) in index.samples() {
        match differing(file, samples, model, (request.width_of)(file.stage)) {
            Ok(None) => checked += samples.len(),
            Ok(Some(reason)) => wrong.push((number, reason)),
            Err(error) => return Err(error),
        }
    }
    wrong.iter().for_each(|(number, reason)| index.spoil(*number, reason));
    log::info!("{checked} rows of the old files computed again: they are what they say");
    Ok(())
}

/// The first of the samples that does not come out of the encoder again.
fn differing(
    file: &FeatureFile,
    samples: &[Sample],
    model: &Model,
    width: usize,
) -> Result<Option<String>, Error> {
    if samples.is_empty() {
        return Ok(None);
    }
    let encoder = match file.stage {
        Stage::Nucleotide => &model.nucleotide,
        _ => &model.protein,
    };
    let sequences: Vec<&str> = samples.iter().map(|sample| sample.sequence.as_str()).collect();
    let computed = encoder.embed(&sequences)?;
    let values = file.values().map_err(|error| file.blame(error))?;
    for (sample, computed) in samples.iter().zip(computed.chunks_exact(width.max(1))) {
        let found = row_of(&values, sample.at, width);
        let difference = relative_difference(found, computed);
        // A NaN, of an encoder or of the file, is a difference.
        if difference > TOLERANCE || difference.is_nan() {
            let Sample { at, id, .. } = sample;
            return Ok(Some(format!(
                "row {at} is not what the {} encoder gives for `{id}` (they differ by {:.0} %): \
                 its ids are shuffled, or another model made it",
                file.stage,
                difference * 100.0
            )));
        }
    }
    Ok(None)
}

fn row_of(values: &[f32], at: usize, width: usize) -> &[f32] {
    let start = at.saturating_mul(width);
    values.get(start..start.saturating_add(width)).unwrap_or_default()
}

/// |a - b| / |b|
fn relative_difference(found: &[f32], computed: &[f32]) -> f32 {
    let length = |values: &mut dyn Iterator<Item = f32>| values.map(|v| v * v).sum::<f32>().sqrt();
    let apart = length(&mut found.iter().zip(computed).map(|(found, computed)| found - computed));
    apart / length(&mut computed.iter().copied())
}

/// Gathers the rows of one stage into parts of consecutive rows.
struct Taker<'a> {
    files: &'a [FeatureFile],
    stage: Stage,
    width: usize,
    part_rows: u64,
    matches: std::iter::Peekable<std::vec::IntoIter<Match>>,
    cached: Vec<(PathBuf, Vec<f32>)>,
    start: u64,
    rows: Rows,
}

impl<'a> Taker<'a> {
    fn new(
        files: &'a [FeatureFile],
        stage: Stage,
        matches: Vec<Match>,
        request: &Request<'_>,
    ) -> Self {
        let width = (request.width_of)(stage);
        Self {
            files,
            stage,
            width,
            part_rows: request.part_rows.max(1),
            matches: matches.into_iter().peekable(),
            cached: Vec::new(),
            start: 0,
            rows: Rows::with_capacity(0, width),
        }
    }

    fn frame(
        &mut self,
        row: u64,
        frame: &FrameRow,
        save: &mut dyn FnMut(Stage, u64, &Rows) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let found = self.matches.next_if(|found| found.row == row);
        let end = self.start + self.rows.len() as u64;
        if found.is_none() || row != end || row.is_multiple_of(self.part_rows) {
            self.flush(save)?;
        }
        let Some(found) = found else { return Ok(()) };
        let width = self.width;
        let values = row_of(self.values(found.file)?, found.at, width).to_vec();
        // A row that is not finite is computed again.
        if values.len() != width || !values.iter().all(|value| value.is_finite()) {
            return self.flush(save);
        }
        if self.rows.is_empty() {
            self.start = row;
        }
        self.rows.push(frame.source(), &values);
        Ok(())
    }

    fn flush(
        &mut self,
        save: &mut dyn FnMut(Stage, u64, &Rows) -> Result<(), Error>,
    ) -> Result<(), Error> {
        if !self.rows.is_empty() {
            save(self.stage, self.start, &self.rows)?;
            self.rows = Rows::with_capacity(0, self.width);
        }
        Ok(())
    }

    /// The values of a file; the ones used last are kept.
    fn values(&mut self, file: usize) -> Result<&[f32], Error> {
        let Some(file) = self.files.get(file) else { return Ok(&[]) };
        if let Some(at) = self.cached.iter().position(|(path, _)| *path == file.path) {
            self.cached.swap(0, at);
        } else {
            let values = file.values().map_err(|error| file.blame(error))?;
            self.cached.insert(0, (file.path.clone(), values));
            self.cached.truncate(CACHED_FILES);
        }
        Ok(self.cached.first().map(|(_, values)| values.as_slice()).unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(found: &[f32], computed: &[f32], expected: bool) {
        let difference = relative_difference(found, computed);
        assert_eq!(difference <= TOLERANCE, expected, "{difference}");
    }

    #[test]
    fn rows_are_compared_by_what_differs() {
        check(&[1.0, 2.0], &[1.0, 2.0], true);
        check(&[1.01, 2.0], &[1.0, 2.0], true);
        check(&[2.0, 1.0], &[1.0, 2.0], false);
        check(&[-1.0, -2.0], &[1.0, 2.0], false);
        check(&[f32::NAN, 2.0], &[1.0, 2.0], false);
        check(&[1.0, 2.0], &[f32::NAN, 2.0], false);
        check(&[0.0, 0.0], &[0.0, 0.0], false);
    }
}
