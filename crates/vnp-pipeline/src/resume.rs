use std::fmt;
use std::path::{Path, PathBuf};

use vnp_ckpt::{ErrorKind, Limits, RowRange};
use vnp_validate::{FailedCheckpoint, Level, Options};

use crate::directory::{OutputDirectory, SET_ASIDE, entries};
use crate::error::Error;
use crate::identity::{Difference, Identity};
use crate::options::Trust;
use crate::part::{self, Part};
use crate::plan::RowSet;
use crate::stage::Stage;
use crate::survey::Survey;
use crate::track::{Track, stages};

/// A file among the parts that cannot be used, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadPart {
    /// The file.
    pub path: PathBuf,
    /// What is wrong with it.
    pub reason: String,
}

impl fmt::Display for BadPart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.path.display(), self.reason)
    }
}

/// What earlier sessions left, and what is still to be done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ResumeSummary {
    /// Rows of the run, of every track.
    pub rows: u64,
    /// Rows whose scores are durable already.
    pub rows_scored: u64,
    /// Good parts of every stage.
    pub parts: u64,
    /// Good parts with scores.
    pub score_parts: u64,
    /// Parts that are to be computed: windows in which a score is missing, those of bad parts
    /// not counted.
    pub missing_parts: u64,
    /// Bad parts, set aside.
    pub bad_parts: u64,
    /// Rows to compute in the nucleotide stage.
    pub nucleotide_rows: u64,
    /// Rows to compute in the protein stage.
    pub protein_rows: u64,
    /// Rows to compute of chunks without an open frame.
    pub dna_only_rows: u64,
}

/// The parts that may be trusted, and the rows they cover.
#[derive(Debug, Default)]
pub(crate) struct Inventory {
    parts: Vec<Part>,
}

impl Inventory {
    pub(crate) fn add(&mut self, part: Part) {
        self.parts.push(part);
    }

    /// The parts of a stage by their rows.
    pub(crate) fn parts(&self, stage: Stage) -> Vec<&Part> {
        let mut parts: Vec<_> = self.parts.iter().filter(|part| part.stage == stage).collect();
        parts.sort_by_key(|part| part.rows.start);
        parts
    }

    /// The part of a stage that holds a row.
    pub(crate) fn part_with(&self, stage: Stage, row: u64) -> Option<&Part> {
        self.parts.iter().find(|part| part.stage == stage && part.rows.contains(row))
    }

    /// The parts that hold rows of a window.
    pub(crate) fn overlapping(&self, window: RowRange) -> Self {
        let overlaps = |part: &&Part| part.rows.start < window.end && window.start < part.rows.end;
        Self { parts: self.parts.iter().filter(overlaps).cloned().collect() }
    }

    pub(crate) fn len(&self) -> usize {
        self.parts.len()
    }

    pub(crate) fn covered(&self, stage: Stage) -> RowSet {
        let mut covered = RowSet::default();
        for part in self.parts.iter().filter(|part| part.stage == stage) {
            covered.insert(part.rows);
        }
        covered
    }

    /// Whether a session that keeps its embeddings has been here.
    pub(crate) fn keeps_embeddings(&self) -> bool {
        self.parts.iter().any(|part| part.kept)
    }

    /// Deletes the embeddings whose rows are all scored.
    pub(crate) fn delete_scored_embeddings(&mut self) -> Result<(), Error> {
        let scored = self.covered(Stage::Scores);
        let (done, parts) = std::mem::take(&mut self.parts).into_iter().partition(|part: &Part| {
            Stage::EMBEDDINGS.contains(&part.stage) && scored.covers(part.rows)
        });
        self.parts = parts;
        let done: Vec<Part> = done;
        for part in done {
            crate::directory::remove_if_there(&part.path)?;
        }
        Ok(())
    }
}

/// What looking through the parts found.
#[derive(Debug, Default)]
pub(crate) struct Inspection {
    pub(crate) inventory: Inventory,
    pub(crate) bad: Vec<BadPart>,
    pub(crate) differences: Vec<Difference>,
}

impl Inspection {
    /// A part of another run is a stray among parts of this one; where there are no others, the
    /// whole directory is another run's.
    fn sort_foreign(&mut self, foreign: Vec<(PathBuf, Vec<Difference>)>, among_good: bool) {
        for (path, differences) in foreign {
            if among_good {
                let listed: Vec<_> = differences.iter().map(Difference::to_string).collect();
                let reason = format!("is a part of another run: {}", listed.join("; "));
                self.bad.push(BadPart { path, reason });
                continue;
            }
            for difference in differences {
                if !self.differences.contains(&difference) {
                    self.differences.push(difference);
                }
            }
        }
    }
}

/// What a part of this run must look like.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Expectation<'a> {
    pub(crate) identity: &'a Identity,
    pub(crate) survey: &'a Survey,
    pub(crate) nucleotide_hidden: usize,
    pub(crate) protein_hidden: usize,
}

impl Expectation<'_> {
    pub(crate) fn width(&self, stage: Stage) -> usize {
        match stage {
            Stage::Nucleotide => self.nucleotide_hidden,
            Stage::Protein => self.protein_hidden,
            Stage::Scores | Stage::DnaOnly => 2,
        }
    }
}

/// Looks at every part of some tracks before any of them is trusted. Nothing is changed on disk.
pub(crate) fn inspect(
    directory: &OutputDirectory,
    tracks: &[Track],
    expected: Expectation<'_>,
    trust: Trust,
) -> Result<Inspection, Error> {
    let mut found = Inspection::default();
    for stage in stages(tracks) {
        let mut last: Option<RowRange> = None;
        let mut foreign = Vec::new();
        for path in entries(&directory.stage(stage))? {
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            if name.ends_with(SET_ASIDE) {
                continue;
            }
            let Some(rows) = part::parse_file_name(&name) else {
                if name.ends_with(".vnp") {
                    let reason = "not the name of a part: expected rows-START-END.vnp".to_owned();
                    found.bad.push(BadPart { path, reason });
                } else {
                    log::warn!("{} is no part of the run: ignored", path.display());
                }
                continue;
            };
            if let Some(last) = last.filter(|last| rows.start < last.end) {
                let reason = format!("overlaps the part with rows {last}");
                found.bad.push(BadPart { path, reason });
                continue;
            }
            match look(stage, &path, rows, expected, trust)? {
                Look::Good(part) => {
                    last = Some(part.rows);
                    found.inventory.add(part);
                }
                Look::Bad(reason) => found.bad.push(BadPart { path, reason }),
                Look::Foreign(differences) => foreign.push((path, differences)),
            }
        }
        found.sort_foreign(foreign, last.is_some());
    }
    Ok(found)
}

enum Look {
    Good(Part),
    Bad(String),
    Foreign(Vec<Difference>),
}

fn look(
    stage: Stage,
    path: &Path,
    rows: RowRange,
    expected: Expectation<'_>,
    trust: Trust,
) -> Result<Look, Error> {
    let level = match trust {
        Trust::Full => Level::Tensors,
        Trust::Cheap => Level::Container,
    };
    // Identity is asked before the schema: a model of another width is another run, not damage.
    let header = match vnp_ckpt::read_header(path, &Limits::default()) {
        Ok(header) => header,
        // What cannot be looked at is not known to be bad.
        Err(error)
            if matches!(error.kind(), ErrorKind::Io { .. } | ErrorKind::OutOfMemory { .. }) =>
        {
            return Err(error.into());
        }
        Err(error) => return Ok(Look::Bad(error.kind().to_string())),
    };
    if header.kind != stage.name() {
        return Ok(Look::Bad(format!("is of kind {}, expected {stage}", header.kind)));
    }
    let differences = expected.identity.differences_of_part(stage, &header.metadata);
    if !differences.is_empty() {
        return Ok(Look::Foreign(differences));
    }
    let options = Options {
        level,
        schema: Some(part::schema(stage, expected.width(stage))),
        ..Options::default()
    };
    let report = vnp_validate::validate_checkpoint(path, &options)?;
    if !report.findings.is_empty() {
        return Ok(Look::Bad(report.reason()));
    }
    if let Err(reason) = part::fits(stage, expected.width(stage), &header) {
        return Ok(Look::Bad(reason));
    }
    if header.rows != rows {
        return Ok(Look::Bad(format!("holds rows {}, its name says {rows}", header.rows)));
    }
    let total = expected.survey.rows_of(stage.track());
    if rows.end > total {
        return Ok(Look::Bad(format!("holds rows {rows}, but the input has only {total}")));
    }
    Ok(Look::Good(part::describe(stage, path, &header)))
}

/// Logs bad parts and moves each out of the way as `NAME.bad`, so that its rows can be computed
/// again and the file can still be looked at.
pub(crate) fn set_aside(directory: &OutputDirectory, bad: &[BadPart]) -> Result<(), Error> {
    log_bad(directory, bad);
    for part in bad {
        fs_err::rename(&part.path, free_name(&part.path))?;
        log::warn!("{part}; set aside, its rows are computed again");
    }
    Ok(())
}

/// `NAME.bad`, or `NAME.2.bad` and so on where a bad part of these rows was set aside before.
fn free_name(path: &Path) -> PathBuf {
    let named = |number: u32| {
        let mut name = path.as_os_str().to_owned();
        if number > 1 {
            name.push(format!(".{number}"));
        }
        name.push(SET_ASIDE);
        PathBuf::from(name)
    };
    (1..u32::MAX).map(named).find(|name| !name.exists()).unwrap_or_else(|| named(1))
}

/// Appends bad files to the failure log, each once for as long as it stays as it is: the run that
/// refuses a part and the one that passes over it tell of the same failure. A log that cannot be
/// written is no reason to fail.
pub(crate) fn log_bad(directory: &OutputDirectory, bad: &[BadPart]) {
    if bad.is_empty() {
        return;
    }
    let log = directory.failed_checkpoints();
    let known = vnp_validate::load_failed_checkpoints(&log).unwrap_or_default();
    for part in bad.iter().filter(|part| !is_recorded(part, &known)) {
        if let Err(error) = vnp_validate::log_failed_checkpoint(&log, &part.path, &part.reason) {
            log::warn!("cannot record the failed checkpoint: {error}");
        }
    }
}

/// Whether this failure was recorded after the file was last changed.
fn is_recorded(part: &BadPart, known: &[FailedCheckpoint]) -> bool {
    let changed = fs_err::metadata(&part.path).and_then(|metadata| metadata.modified());
    let Some(changed) = changed.ok().and_then(|time| jiff::Timestamp::try_from(time).ok()) else {
        return false;
    };
    known.iter().any(|known| {
        let recorded = known.timestamp.parse::<jiff::Timestamp>().map(|time| time.as_second());
        known.path == part.path
            && known.reason == part.reason
            && recorded.is_ok_and(|recorded| recorded >= changed.as_second())
    })
}
