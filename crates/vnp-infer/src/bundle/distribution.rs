//! Reading weights in the forms in which they are distributed.

use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::parts::TokenizerFile;
use crate::architecture::dnabert::DnabertConfig;
use crate::architecture::esm2::Esm2Config;
use crate::architecture::{Architecture, NetworkSource, fair};
use crate::error::Error;
use crate::head;
use crate::weights::checkpoint::CheckpointTensors;
use crate::weights::file::TensorFile;
use crate::weights::view::View;
use crate::weights::{TensorSource, Weights};

/// The names of weights in a transformers directory, the preferred form first.
const WEIGHTS: [&str; 4] = [
    "model.safetensors",
    "model.safetensors.index.json",
    "pytorch_model.bin",
    "pytorch_model.bin.index.json",
];

/// The ending of the file that fair-esm puts next to a network's: the weights of its contact head,
/// which are not used.
const CONTACT_REGRESSION: &str = "-contact-regression.pt";

/// The ESM-2 network in a file of fair-esm, or in a file or directory of transformers. The latter's
/// sizes are those of `config.json`; without one they are inferred from the tensors.
pub(crate) fn read_esm2(path: &Path) -> Result<NetworkSource<Esm2Config>, Error> {
    let (weights, config) = locate(path)?;
    let source = open_weights(&weights)?;
    if fair::is_fair(source.as_ref()) {
        let stated = source.metadata().map(fair::stated).unwrap_or_default();
        let source = View::renamed(&source, fair::rename)?;
        return NetworkSource::new(Esm2Config::infer(&source, &stated)?, Arc::new(source));
    }
    read_network(source, &config)
}

/// The DNABERT network in a file or directory of transformers, with its tokenizer.
pub(crate) fn read_dnabert(
    path: &Path,
    tokenizer: Option<&Path>,
) -> Result<(NetworkSource<DnabertConfig>, TokenizerFile), Error> {
    let (weights, config) = locate(path)?;
    let network = read_network(open_weights(&weights)?, &config)?;
    let tokenizer =
        tokenizer.map_or_else(|| config.with_file_name("tokenizer.json"), Path::to_owned);
    Ok((network, TokenizerFile::read(&tokenizer)?))
}

/// A head: a state dict, or the whole module that the original saves.
pub(crate) fn read_head(path: &Path) -> Result<Weights, Error> {
    fs_err::metadata(path)?;
    head::tensors::select(open_weights(path)?)
}

fn read_network<A: Architecture>(
    source: Arc<dyn TensorSource>,
    config: &Path,
) -> Result<NetworkSource<A>, Error> {
    let config = match config.is_file() {
        true => serde_json::from_slice(&fs_err::read(config)?)
            .map_err(|cause| Error::Json { file: config.display().to_string(), cause })?,
        false => A::from_tensors(source.as_ref())?,
    };
    NetworkSource::new(config, source)
}

/// The files of weights and config for a path, which is a directory or a file of weights.
fn locate(path: &Path) -> Result<(PathBuf, PathBuf), Error> {
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

/// The names of the files of networks that fair-esm distributes.
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

/// The tensors of a file of any form: safetensors, PyTorch, or an index of several.
fn open_weights(path: &Path) -> Result<Arc<dyn TensorSource>, Error> {
    if path.extension().is_some_and(|extension| extension == "json") {
        return Ok(Arc::new(View::sharded(path, open_weights_file)?));
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

/// Refuses the pointer that git leaves instead of a large file that it did not fetch.
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
