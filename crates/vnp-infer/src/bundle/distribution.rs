//! Reading weights in the forms in which they are distributed.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::parts::TokenizerFile;
use crate::architecture::dnabert::DnabertConfig;
use crate::architecture::esm2::Esm2Config;
use crate::architecture::{Architecture, NetworkSource, fair};
use crate::error::Error;
use crate::given;
use crate::head;
use crate::weights::beside::Beside;
use crate::weights::open::open;
use crate::weights::part::Part;
use crate::weights::unwrap::{self, Found, Layout};
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

/// The names of ESM-2 in transformers, and in fair-esm.
const ESM2: [Layout; 2] = [
    Layout { anchor: "embeddings.word_embeddings.weight", inner: &["esm.", ""] },
    Layout {
        anchor: "embed_tokens.weight",
        inner: &["encoder.sentence_encoder.", "sentence_encoder.", "encoder.", ""],
    },
];
/// The names of DNABERT.
const DNABERT: [Layout; 1] =
    [Layout { anchor: "embeddings.word_embeddings.weight", inner: &["bert.", ""] }];
/// The names of a head.
const HEAD: [Layout; 1] = [Layout { anchor: "hidden_layer.weight", inner: &[""] }];
/// Values of fair-esm's files that are read: the sizes of the network.
const FAIR_SETTINGS: [&str; 2] = ["args", "cfg"];

/// The ESM-2 network in a file of fair-esm, or in a file or directory of transformers. The latter's
/// sizes are those of `config.json`; without one they are inferred from the tensors.
pub(crate) fn read_esm2(path: &Path) -> Result<NetworkSource<Esm2Config>, Error> {
    let (weights, config) = locate(path)?;
    let source = open_as(Part::Esm2, &weights)?;
    let stated = source.metadata().map(fair::stated).unwrap_or_default();
    let Found { source, mut beside } = unwrap::find(source, &ESM2)?;
    if !fair::is_fair(source.as_ref()) {
        return read_network(Found { source, beside }, &config);
    }
    beside.values.retain(|key| !FAIR_SETTINGS.contains(&key.as_str()));
    let source = View::renamed(&source, fair::rename)?;
    let config = Esm2Config::infer(&source, &stated)?;
    let network = NetworkSource::new(config, Arc::new(source));
    found_beside(network.map_err(|error| beside.explain(fair::rename, error))?, beside)
}

/// The DNABERT network in a file or directory of transformers, with its tokenizer.
pub(crate) fn read_dnabert(
    path: &Path,
    tokenizer: Option<&Path>,
) -> Result<(NetworkSource<DnabertConfig>, TokenizerFile), Error> {
    let (weights, config) = locate(path)?;
    let network =
        read_network(unwrap::find(open_as(Part::Dnabert, &weights)?, &DNABERT)?, &config)?;
    let tokenizer =
        tokenizer.map_or_else(|| config.with_file_name("tokenizer.json"), Path::to_owned);
    Ok((network, TokenizerFile::read(&tokenizer)?))
}

/// A head: a state dict, or the whole module that the original saves.
pub(crate) fn read_head(path: &Path) -> Result<Weights, Error> {
    let Found { source, beside } = unwrap::find(open_as(Part::Head, path)?, &HEAD)?;
    let head = head::tensors::select(source);
    let head = head.map_err(|error| beside.explain(str::to_owned, error))?;
    beside.log(head.label());
    Ok(head.found_beside(beside))
}

/// Opens a file that is not known to be another part.
fn open_as(part: Part, path: &Path) -> Result<Arc<dyn TensorSource>, Error> {
    let source = open(path)?;
    part.check(source.as_ref())?;
    Ok(source)
}

fn read_network<A: Architecture>(
    Found { source, beside }: Found,
    config: &Path,
) -> Result<NetworkSource<A>, Error> {
    let config = match given::is_there(config) {
        true => given::json(config),
        false => A::from_tensors(source.as_ref()),
    };
    let network = config.and_then(|config| NetworkSource::new(config, source));
    found_beside(network.map_err(|error| beside.explain(str::to_owned, error))?, beside)
}

/// Notes and logs what the file of a network holds beside it.
fn found_beside<A>(network: NetworkSource<A>, beside: Beside) -> Result<NetworkSource<A>, Error> {
    let NetworkSource { config, weights } = network;
    beside.log(weights.label());
    Ok(NetworkSource { config, weights: weights.found_beside(beside) })
}

/// The files of weights and config for a path, which is a directory or a file of weights.
fn locate(path: &Path) -> Result<(PathBuf, PathBuf), Error> {
    if !path.is_dir() {
        return Ok((path.to_owned(), path.with_file_name("config.json")));
    }
    let config = path.join("config.json");
    if let Some(weights) = weights_of(path) {
        return Ok((weights, config));
    }
    match fair_files(path)?.as_slice() {
        [] => {
            let holds_weights = |directory: &Path| {
                let fair = fair_files(directory).is_ok_and(|files| files.len() == 1);
                fair || weights_of(directory).is_some()
            };
            let nearby = given::nearby(path, holds_weights);
            Err(Error::NoWeights { directory: path.to_owned(), nearby })
        }
        [weights] => Ok((path.join(weights), config)),
        names => {
            let (directory, names) = (path.to_owned(), names.to_vec());
            Err(Error::AmbiguousWeights { directory, names })
        }
    }
}

/// The weights in a directory of transformers; a link that leads nowhere counts.
fn weights_of(directory: &Path) -> Option<PathBuf> {
    WEIGHTS.iter().map(|name| directory.join(name)).find(|path| given::is_there(path))
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

#[cfg(test)]
mod tests;
