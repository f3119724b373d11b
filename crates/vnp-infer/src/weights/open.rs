//! Opening a file of weights: its first bytes decide how, its name decides nothing.

use std::path::Path;
use std::sync::Arc;

use super::TensorSource;
use super::checkpoint::CheckpointTensors;
use super::file::TensorFile;
use super::given::Given;
use super::view::View;
use crate::error::Error;
use crate::error::weights::WeightsError;
use crate::given;

/// Files with more tensors are refused: names are compared with each other, and shown. A training of the
/// largest ESM-2 saves below 3,000.
const MOST_TENSORS: usize = 20_000;
/// Tensors with a longer name are refused.
const LONGEST_NAME: usize = 1_000;

/// The tensors of a file that a user gave: safetensors, PyTorch of any age, a checkpoint of ours, or an
/// index of several files in its directory.
///
/// # Errors
/// What the file is instead; [`Error::WeightsFormat`].
pub(crate) fn open(path: &Path) -> Result<Arc<dyn TensorSource>, Error> {
    let start = given::start(path)?;
    let text = start.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&start).trim_ascii_start();
    let source = match text.first() {
        Some(b'{') => {
            Arc::new(View::sharded(path, open_file).map_err(|error| not_an_index(path, error))?)
        }
        _ => open_file(path)?,
    };
    Ok(Arc::new(Given::new(source)))
}

/// The tensors of one file, of which there are not more than a network has.
fn open_file(path: &Path) -> Result<Arc<dyn TensorSource>, Error> {
    let source = open_any(path)?;
    let names = source.names();
    if names.len() > MOST_TENSORS {
        let (file, count) = (source.label().to_owned(), names.len());
        return Err(WeightsError::TooManyTensors { file, count, most: MOST_TENSORS }.into());
    }
    if let Some(name) = names.iter().find(|name| name.len() > LONGEST_NAME) {
        let (file, bytes) = (source.label().to_owned(), name.len());
        let name = (*name).to_owned();
        return Err(WeightsError::LongName { file, name, bytes, most: LONGEST_NAME }.into());
    }
    drop(names);
    Ok(source)
}

fn open_any(path: &Path) -> Result<Arc<dyn TensorSource>, Error> {
    let start = given::start(path)?;
    let named = |endings: &[&str]| {
        let ending = path.extension().unwrap_or_default();
        endings.iter().any(|known| ending.eq_ignore_ascii_case(known))
    };
    let is_checkpoint =
        [&b"PK"[..], b"\x80", b"\x89VNP"].iter().any(|magic| start.starts_with(magic));
    // A damaged file is called damaged by the reader of what its name says.
    if is_checkpoint || named(&["pt", "pth", "bin", "vnp"]) {
        return Ok(Arc::new(CheckpointTensors::open(path)?));
    }
    if start.get(8) == Some(&b'{') || named(&["safetensors"]) {
        return Ok(Arc::new(TensorFile::open(path)?));
    }
    Err(Error::WeightsFormat { path: path.to_owned() })
}

/// The error of a JSON file that is another one than an index.
fn not_an_index(path: &Path, error: Error) -> Error {
    match error {
        Error::Json { cause, .. } if cause.is_data() => WeightsError::NotTheFile {
            path: path.to_owned(),
            found: "a JSON file without a weight_map, so not an index of weights",
            remedy: "give the file or the directory of the weights".to_owned(),
        }
        .into(),
        other => other,
    }
}
