//! Parts are inspected before any of them is trusted.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use vnp_ckpt::{ErrorKind, Limits, RowRange};
use vnp_escape::{escaped_path, listed};
use vnp_validate::{Level, Options};

use super::identity::{Identity, PartIdentity, differences_of_metadata};
use super::inventory::Inventory;
use super::part::{Part, check_header, schema};
use super::stage::Stage;
use super::track::Track;
use crate::bad_file::BadFile;
use crate::directory::JobDirectory;
use crate::error::Error;
use crate::files::entries;
use crate::identity::Difference;
use crate::part_name::parse_file_name;
use crate::quarantine::QUARANTINED;

/// How closely existing parts are inspected before they are trusted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trust {
    /// Every level: digests, keys, shapes, finite values.
    Full,
    /// Size, container and header only; a bad payload is found when it is used.
    Cheap,
}

/// What a part of a run must look like.
#[derive(Clone, Debug)]
pub struct Expectation<'a, I = Identity> {
    /// The identity of the run.
    pub identity: &'a I,
    /// The rows of each track of the run; a track that is absent has none.
    pub total_rows: BTreeMap<Track, u64>,
    /// Width of a nucleotide embedding.
    pub nucleotide_hidden: usize,
    /// Width of a protein embedding.
    pub protein_hidden: usize,
}

impl<I> Expectation<'_, I> {
    fn width(&self, stage: Stage) -> usize {
        match stage {
            Stage::Nucleotide => self.nucleotide_hidden,
            Stage::Protein => self.protein_hidden,
            Stage::Scores | Stage::NucleotideOnly => 2,
        }
    }
}

/// What the parts of a directory are.
#[derive(Debug, Default)]
pub struct Inspection {
    /// Those that may be trusted.
    pub inventory: Inventory,
    /// Those that cannot be used.
    pub bad: Vec<BadFile>,
    /// Where all of a stage belong to another run: the fields in which it differs.
    pub differences: Vec<Difference>,
}

impl Inspection {
    /// A part of another run is a stray among parts of this one; where there are no others, the
    /// whole directory belongs to another run.
    fn sort_foreign(&mut self, foreign: Vec<(PathBuf, Vec<Difference>)>, among_good: bool) {
        for (path, differences) in foreign {
            if among_good {
                let listed = listed(differences.iter(), 32, "; ");
                let reason = format!("is a part of another run: {listed}");
                self.bad.push(BadFile { path, reason });
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

/// Inspects every part of some tracks. Nothing is changed on disk.
///
/// # Errors
/// What kept a file from being inspected, which is not a finding about it.
pub fn inspect<I: PartIdentity>(
    directory: &JobDirectory,
    tracks: &[Track],
    expected: &Expectation<'_, I>,
    trust: Trust,
) -> Result<Inspection, Error> {
    let mut found = Inspection::default();
    for stage in Stage::of_tracks(tracks) {
        let mut last: Option<RowRange> = None;
        let mut foreign = Vec::new();
        for path in entries(&directory.stage(stage.name()))? {
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            if name.ends_with(QUARANTINED) {
                continue;
            }
            let Some(rows) = parse_file_name(&name) else {
                // Editors, file managers and network file systems leave files beside ours, under names
                // that may end as ours do.
                log::warn!("{} is not a part of the run: ignored", escaped_path(&path));
                continue;
            };
            if is_something_else(&path) {
                let reason = "is not a regular file".to_owned();
                found.bad.push(BadFile { path, reason });
                continue;
            }
            if let Some(last) = last.filter(|last| rows.start < last.end) {
                let reason = format!("overlaps the part with rows {last}");
                found.bad.push(BadFile { path, reason });
                continue;
            }
            match inspect_one(stage, &path, rows, expected, trust)? {
                Finding::Good(part) => {
                    last = Some(part.rows);
                    found.inventory.add(part);
                }
                Finding::Bad(reason) => found.bad.push(BadFile { path, reason }),
                Finding::Foreign(differences) => foreign.push((path, differences)),
            }
        }
        found.sort_foreign(foreign, last.is_some());
    }
    Ok(found)
}

/// Whether a path is known not to be a regular file.
fn is_something_else(path: &Path) -> bool {
    match path.metadata() {
        Ok(metadata) => !metadata.is_file(),
        // A link to nothing.
        Err(error) => error.kind() == std::io::ErrorKind::NotFound,
    }
}

enum Finding {
    Good(Part),
    Bad(String),
    Foreign(Vec<Difference>),
}

fn inspect_one<I: PartIdentity>(
    stage: Stage,
    path: &Path,
    rows: RowRange,
    expected: &Expectation<'_, I>,
    trust: Trust,
) -> Result<Finding, Error> {
    let level = match trust {
        Trust::Full => Level::Tensors,
        Trust::Cheap => Level::Container,
    };
    // Identity comes before the schema: a model of another width is another run, not damage.
    let header = match vnp_ckpt::read_header(path, &Limits::default()) {
        Ok(header) => header,
        // A file that cannot be inspected is not known to be bad.
        Err(error)
            if matches!(error.kind(), ErrorKind::Io { .. } | ErrorKind::OutOfMemory { .. }) =>
        {
            return Err(error.into());
        }
        Err(error) => return Ok(Finding::Bad(error.kind().to_string())),
    };
    if header.kind != stage.name() {
        return Ok(Finding::Bad(format!("is of kind {}, expected {stage}", header.kind)));
    }
    let differences = differences_of_metadata(&expected.identity.of_stage(stage), &header.metadata);
    if !differences.is_empty() {
        return Ok(Finding::Foreign(differences));
    }
    let options =
        Options { level, schema: Some(schema(stage, expected.width(stage))), ..Options::default() };
    let report = vnp_validate::validate_checkpoint(path, &options)?;
    if !report.findings.is_empty() {
        return Ok(Finding::Bad(report.reason()));
    }
    if let Err(reason) = check_header(stage, expected.width(stage), &header) {
        return Ok(Finding::Bad(reason));
    }
    if header.rows != rows {
        return Ok(Finding::Bad(format!("holds rows {}, its name says {rows}", header.rows)));
    }
    let total = expected.total_rows.get(&stage.track()).copied().unwrap_or(0);
    if rows.end > total {
        return Ok(Finding::Bad(format!("holds rows {rows}, but the input has only {total}")));
    }
    Ok(Finding::Good(Part::of_header(stage, path, &header)))
}
