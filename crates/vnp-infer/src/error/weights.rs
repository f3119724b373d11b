//! Errors about files of weights that were given by mistake, or hold what no network is.

use std::path::PathBuf;

use vnp_escape::{escaped, escaped_path, listed, sentence, shown};

/// How many names a message holds.
const SHOWN: usize = 8;

/// A file or its weights are not what they should be.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WeightsError {
    /// A link leads to a file that does not exist.
    #[error(
        "{} is a link to {}, which does not exist: copy or download the file itself",
        escaped_path(path),
        escaped_path(target)
    )]
    BrokenLink {
        /// The link.
        path: PathBuf,
        /// What it leads to.
        target: PathBuf,
    },
    /// A path leads to something else than the file that was meant.
    #[error("{} is {found}: {remedy}", escaped_path(path), remedy = sentence(remedy))]
    NotTheFile {
        /// The path.
        path: PathBuf,
        /// What it leads to.
        found: &'static str,
        /// What to do.
        remedy: String,
    },
    /// A file of weights is damaged.
    #[error(
        "{file} is damaged or no file of weights: {found}: {remedy}",
        file = escaped(file), found = sentence(found)
    )]
    Damaged {
        /// The file.
        file: String,
        /// What is wrong with it.
        found: String,
        /// What to do.
        remedy: &'static str,
    },
    /// A file holds another part of a model than the one that was asked for.
    #[error(
        "{file} is {found}, not {expected}: {remedy}",
        file = escaped(file), found = sentence(found)
    )]
    OtherWeights {
        /// The file.
        file: String,
        /// What it is.
        found: String,
        /// What was asked for.
        expected: &'static str,
        /// What to do.
        remedy: &'static str,
    },
    /// A tensor holds a value with which nothing can be computed.
    #[error(
        "{file}: tensor {name} holds {found} at index {index:?}: the training failed or the file is \
         damaged, use another one",
        file = escaped(file), name = shown(name), found = sentence(found)
    )]
    BadValue {
        /// The weights file.
        file: String,
        /// The tensor's name in it.
        name: String,
        /// The first bad value: one number per dimension, from 0.
        index: Vec<usize>,
        /// The value.
        found: String,
    },
    /// A file holds several networks that fit, such as the last and the best of a training.
    #[error(
        "{file} holds several networks that fit, below {}: save one of them alone",
        both(names), file = escaped(file)
    )]
    SeveralNetworks {
        /// The weights file.
        file: String,
        /// What the names of each begin with.
        names: Vec<String>,
    },
    /// A file holds what was computed of a network in its training, and not the network.
    #[error(
        "{file} has the tensors of such a network only below {}, which a training computes of the \
         weights and is not the network: save its state_dict",
        quoted(names), file = escaped(file)
    )]
    NoNetwork {
        /// The weights file.
        file: String,
        /// What the names of the tensors begin with.
        names: Vec<String>,
    },
    /// Some tensors of a network stand below a prefix and others do not.
    #[error(
        "{file}: tensor {name} is not below {prefix}, as other tensors of the network are: a prefix is \
         removed only where all have it",
        file = escaped(file), name = shown(name), prefix = shown(prefix)
    )]
    PartlyWrapped {
        /// The weights file.
        file: String,
        /// The prefix of the network's tensors.
        prefix: String,
        /// A tensor without it.
        name: String,
    },
    /// Two tensors of a file are the same one of the network once prefixes are removed.
    #[error(
        "{file}: {first} and {second} are the same tensor of the network: save one of them alone",
        file = escaped(file), first = shown(first), second = shown(second)
    )]
    TensorTwice {
        /// The weights file.
        file: String,
        /// The one.
        first: String,
        /// The other.
        second: String,
    },
    /// A file holds more tensors than any network that is read here.
    #[error(
        "{file} holds {count} tensors, more than the {most} that a network and its training have: save the \
         network alone",
        file = escaped(file)
    )]
    TooManyTensors {
        /// The weights file.
        file: String,
        /// How many it holds.
        count: usize,
        /// The most that are read.
        most: usize,
    },
    /// The name of a tensor is longer than that of any network.
    #[error(
        "{file}: the name of tensor {name} has {bytes} bytes, more than {most}: save the network alone",
        file = escaped(file), name = shown(name)
    )]
    LongName {
        /// The weights file.
        file: String,
        /// The tensor's name in it.
        name: String,
        /// Its length.
        bytes: usize,
        /// The most bytes of a name.
        most: usize,
    },
    /// A published head was given for another chunk length than it was trained for.
    #[error(
        "{file} is VirNucPro's {head}, which was trained on chunks of {trained} bp, not {given} bp: give \
         --expected-length {trained}, or the head for {given} bp",
        file = escaped(file)
    )]
    HeadLength {
        /// The head's file.
        file: String,
        /// Its published name.
        head: &'static str,
        /// The chunk length that it was trained on, in bp.
        trained: u32,
        /// The length that was given, in bp.
        given: u32,
    },
}

fn both(names: &[String]) -> String {
    listed(names.iter().map(shown), SHOWN, " and ")
}

fn quoted(names: &[String]) -> String {
    listed(names.iter().map(|name| format!("`{}`", shown(name))), SHOWN, " and ")
}
