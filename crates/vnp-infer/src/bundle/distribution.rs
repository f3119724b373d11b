//! The forms in which weights are distributed.

use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::Error;
use crate::weights::TensorSource;
use crate::weights::checkpoint::CheckpointTensors;
use crate::weights::file::TensorFile;
use crate::weights::sharded::ShardedTensors;

/// What weights are called in a transformers directory, the best form first.
const WEIGHTS: [&str; 4] = [
    "model.safetensors",
    "model.safetensors.index.json",
    "pytorch_model.bin",
    "pytorch_model.bin.index.json",
];

/// How the name ends of what fair-esm puts beside a network's file: the weights of its contact
/// head, which are not used.
const CONTACT_REGRESSION: &str = "-contact-regression.pt";

/// The weights and config that a path, a directory or a file, stands for.
pub(super) fn locate(path: &Path) -> Result<(PathBuf, PathBuf), Error> {
    if !path.is_dir() {
        fs_err::metadata(path)?;
        return Ok((path.to_owned(), path.with_file_name("config.json")));
    }
    let config = path.join("config.json");
    if let Some(weights) = WEIGHTS.iter().map(|name| path.join(name)).find(|path| path.exists()) {
        return Ok((weights, config));
    }
    match fair_files(path)?.as_slice() {
        [] => Err(Error::NoWeights { directory: path.to_owned() }),
        [weights] => Ok((path.join(weights), config)),
        names => {
            let (directory, names) = (path.to_owned(), names.to_vec());
            Err(Error::AmbiguousWeights { directory, names })
        }
    }
}

/// The files of networks as fair-esm distributes them.
fn fair_files(directory: &Path) -> Result<Vec<String>, Error> {
    let mut names = Vec::new();
    for entry in fs_err::read_dir(directory)? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        if name.ends_with(".pt") && !name.ends_with(CONTACT_REGRESSION) {
            names.push(name);
        }
    }
    names.sort_unstable();
    Ok(names)
}

/// Tensors of a file of any form: safetensors, PyTorch, or an index of several.
pub(super) fn open_weights(path: &Path) -> Result<Arc<dyn TensorSource>, Error> {
    if path.extension().is_some_and(|extension| extension == "json") {
        return Ok(Arc::new(ShardedTensors::open(path, open_weights_file)?));
    }
    open_weights_file(path)
}

fn open_weights_file(path: &Path) -> Result<Arc<dyn TensorSource>, Error> {
    refuse_pointer(path)?;
    let extension = path.extension().unwrap_or_default();
    if ["pt", "pth", "bin"].iter().any(|known| extension.eq_ignore_ascii_case(known)) {
        return Ok(Arc::new(CheckpointTensors::open(path)?));
    }
    match extension == "safetensors" {
        true => Ok(Arc::new(TensorFile::open(path)?)),
        false => Err(Error::WeightsFormat { path: path.to_owned() }),
    }
}

/// Refuses what git leaves in the place of a large file that it did not fetch.
fn refuse_pointer(path: &Path) -> Result<(), Error> {
    const POINTER: &[u8] = b"version https://git-lfs";
    let mut start = Vec::new();
    fs_err::File::open(path)?.take(POINTER.len() as u64).read_to_end(&mut start)?;
    if start == POINTER {
        return Err(Error::LfsPointer { path: path.to_owned() });
    }
    Ok(())
}

#[cfg(test)]
mod tests;
