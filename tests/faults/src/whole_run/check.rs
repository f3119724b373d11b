//! Checks of an output directory after a fault, and after the resume.

use std::path::{Path, PathBuf};

use vnp_ckpt::{Limits, load_with_compatibility};

use super::setting::{OUT, Setting, Start, TABLES};
use crate::error::Error;
use crate::model::Image;

pub(super) fn broken(after: &str, found: String) -> Error {
    Error::Broken { after: after.to_owned(), found }
}

/// Every file under a final name is complete, and a result is one that a run publishes. Returns the
/// number of temporaries.
pub(super) fn nothing_torn(setting: &Setting, start: Start, after: &str) -> Result<usize, Error> {
    let image = Image::read(setting.root())?;
    for table in TABLES {
        let path = format!("{OUT}/{table}");
        let Some(found) = image.file(&path) else { continue };
        let is_new = setting.this.file(&path) == Some(found);
        let is_earlier = start == Start::OtherInput && setting.other.file(&path) == Some(found);
        if !is_new && !is_earlier {
            return Err(broken(after, format!("{path} is torn or stale")));
        }
    }
    if let Some(manifest) = image.file(&format!("{OUT}/run.json"))
        && !(manifest.starts_with(b"{") && manifest.ends_with(b"}\n"))
    {
        return Err(broken(after, "run.json is torn".to_owned()));
    }
    for part in parts(setting)? {
        load_with_compatibility(&part, &Limits::default())
            .map_err(|error| broken(after, error.to_string()))?;
    }
    Ok(image.nodes.keys().filter(|path| is_temporary(path)).count())
}

/// The results are those of an undisturbed run.
pub(super) fn published(setting: &Setting, after: &str) -> Result<(), Error> {
    let image = Image::read(setting.root())?;
    for table in TABLES {
        let path = format!("{OUT}/{table}");
        if image.file(&path) != setting.this.file(&path) {
            return Err(broken(after, format!("{path} differs")));
        }
    }
    match image.file(&format!("{OUT}/run.json")) {
        Some(_) => Ok(()),
        None => Err(broken(after, "run.json is missing".to_owned())),
    }
}

/// The results are published, and there are no files but those of an undisturbed run and `allowed`.
pub(super) fn finished(
    setting: &Setting,
    after: &str,
    allowed: impl Fn(&Path) -> bool,
) -> Result<(), Error> {
    published(setting, after)?;
    let names = |image: &Image| -> Vec<PathBuf> {
        // The scores of a window may be in two parts after a fault.
        let names = image.nodes.keys().filter(|path| !is_part_of(path, "scores"));
        names.filter(|path| !allowed(path)).cloned().collect()
    };
    let (found, expected) = (names(&Image::read(setting.root())?), names(&setting.this));
    if found != expected {
        return Err(broken(after, format!("the run left {found:?}, expected {expected:?}")));
    }
    Ok(())
}

/// Embeddings are removed once their scores are durable. The removal itself is not synced: a loss of
/// power may undo it, and a finished run does not repeat it.
pub(super) fn is_embedding(path: &Path) -> bool {
    is_part_of(path, "nucleotide") || is_part_of(path, "protein")
}

/// Every part of the run.
pub(super) fn parts(setting: &Setting) -> Result<Vec<PathBuf>, Error> {
    let image = Image::read(setting.root())?;
    let paths = image.nodes.keys().filter(|path| is_part(path));
    Ok(paths.map(|path| setting.root().join(path)).collect())
}

fn is_part(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "vnp")
}

fn is_part_of(path: &Path, stage: &str) -> bool {
    is_part(path) && path.parent().is_some_and(|parent| parent.ends_with(stage))
}

fn is_temporary(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    name.starts_with(".atomicwrite") || name.starts_with(".vnp-unpublished-")
}
