//! Why a preparation or a training ended early, with a remedy where there is one.

use std::io;
use std::path::PathBuf;

use vnp_escape::{escaped, escaped_path, sentence, shown};
use vnp_job::{Interrupted, JobDirectory};
use vnp_seq::InvalidLetter;

use crate::split::Split;

/// The reason why a preparation or a training ended early.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The output directory, its files, or stored embeddings.
    #[error(transparent)]
    Job(vnp_job::Error),
    /// A signal asked for the end; the state is saved.
    #[error(transparent)]
    Interrupted(#[from] Interrupted),
    /// The prepared chunks could not be embedded.
    #[error("the prepared chunks could not be embedded")]
    Embedding(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// A file could not be read or written; the message names it.
    #[error("{}", escaped(.0))]
    Io(io::Error),
    /// Sequences could not be read.
    #[error(transparent)]
    Sequence(#[from] vnp_seq::Error),
    /// An encoder, a head or a bundle failed.
    #[error(transparent)]
    Model(#[from] vnp_infer::Error),
    /// A checkpoint could not be read or written.
    #[error(transparent)]
    Checkpoint(#[from] vnp_ckpt::Error),
    /// A GenBank file breaks the format.
    #[error(
        "{}: GenBank record {record}: {reason}: export the file again, or give its sequences as FASTA",
        escaped_path(path), reason = sentence(reason)
    )]
    GenBank {
        /// The file.
        path: PathBuf,
        /// The record, counted from 1.
        record: u64,
        /// The fault, in the parser's words.
        reason: String,
    },
    /// A table of labels, groups or prepared chunks has an invalid line.
    #[error(
        "{}, line {line}: expected {expected}, found {found}",
        escaped_path(path), expected = sentence(expected), found = sentence(found)
    )]
    Table {
        /// The table.
        path: PathBuf,
        /// The line, counted from 1.
        line: usize,
        /// The expected content.
        expected: String,
        /// The content found.
        found: String,
    },
    /// Something has two labels or groups.
    #[error(
        "{what} {id} is given twice, {first} and {second}: leave one of them out, or give it another id",
        id = shown(id), first = sentence(first), second = sentence(second)
    )]
    Twice {
        /// The kind of item: a record, a row.
        what: &'static str,
        /// Its id.
        id: String,
        /// The first place.
        first: String,
        /// The second place.
        second: String,
    },
    /// A record has no label.
    #[error(
        "{}: record {id} has no label: add it to the table of labels, or give its file to --virus or --others",
        escaped_path(path), id = shown(id)
    )]
    Unlabelled {
        /// The record's file.
        path: PathBuf,
        /// The record.
        id: String,
    },
    /// A record has no id.
    #[error("{}: record {record} has no id: name it behind the '>'", escaped_path(path))]
    NoId {
        /// The file.
        path: PathBuf,
        /// The record, counted from 1.
        record: u64,
    },
    /// A record is not a nucleotide sequence.
    #[error("{}: record {id}: {letter}", escaped_path(path), id = shown(id))]
    NotNucleotides {
        /// The file.
        path: PathBuf,
        /// The record.
        id: String,
        /// The invalid letter.
        letter: InvalidLetter,
    },
    /// There is nothing to learn of one class.
    #[error("there are no {what} of the class {class}: give some with --{class}")]
    EmptyClass {
        /// `virus` or `others`.
        class: &'static str,
        /// The missing items: records, chunks with an ORF.
        what: &'static str,
    },
    /// A class has fewer groups of relatives than there are splits.
    #[error(
        "the class {class} has {found} groups of relatives and needs {needed}, one for each of training, \
         validation and test: give records that are less related, or a --test-share of 0"
    )]
    TooFewGroups {
        /// `virus` or `others`.
        class: &'static str,
        /// The number of groups.
        found: usize,
        /// The number of groups needed.
        needed: usize,
    },
    /// A split has no chunk of one of the classes.
    #[error(
        "no chunk of the class {class} is left for {split}: give more records, or another --seed"
    )]
    EmptySplit {
        /// `virus` or `others`.
        class: &'static str,
        /// The split.
        split: &'static str,
    },
    /// The embeddings come from other encoders than those of the bundle to write.
    #[error(
        "the {encoder} embeddings are of another encoder ({found}) than that of {model} ({expected}): \
         give the bundle that made them with --model",
        found = sentence(found), model = shown(model), expected = sentence(expected)
    )]
    OtherEncoder {
        /// `nucleotide` or `protein`.
        encoder: &'static str,
        /// The digest of the encoder that made them.
        found: String,
        /// The bundle's name.
        model: String,
        /// The digest of the bundle's encoder.
        expected: String,
    },
    /// A computation on tensors failed.
    #[error("a computation failed")]
    Tensor(#[from] candle_core::Error),
    /// A network asked for a parameter that does not exist.
    #[error("parameter `{name}` does not exist: this is a bug", name = shown(name))]
    NoParameter {
        /// Its name.
        name: String,
    },
    /// The saved state is damaged, or from another release.
    #[error(
        "{}: {reason}; begin again with --force-resume, which quarantines it, or with --force",
        escaped_path(path), reason = sentence(reason)
    )]
    BadState {
        /// The saved state.
        path: PathBuf,
        /// What is wrong with the state.
        reason: String,
    },
    /// A loss is not finite.
    #[error("the loss is {loss} at step {step} of epoch {epoch}: lower the learning rate")]
    Diverged {
        /// The epoch, from 1.
        epoch: usize,
        /// The step of the epoch, from 1; 0 for the validation after it.
        step: usize,
        /// The loss.
        loss: f64,
    },
    /// A split lacks rows of one class.
    #[error("the {split} split has no {class} rows: give more groups of them")]
    NoRows {
        /// The split.
        split: Split,
        /// `viral` or `other`.
        class: &'static str,
    },
    /// A setting is out of its range.
    #[error("{setting} is {found}, expected {expected}", found = sentence(found))]
    BadSetting {
        /// The setting.
        setting: &'static str,
        /// The permitted range.
        expected: &'static str,
        /// The value found.
        found: String,
    },
    /// Encoders are too large to be trained.
    #[error(
        "the encoders have {found} parameters, at most {most} are trained: train a head alone, without --encoders, or smaller encoders"
    )]
    TooManyParameters {
        /// The number of parameters.
        found: usize,
        /// The largest number that is trained.
        most: usize,
    },
    /// Examples, scores or tensors do not match each other.
    #[error(
        "{what}: expected {expected}, found {found}",
        expected = sentence(expected), found = sentence(found)
    )]
    Mismatch {
        /// The mismatched quantity.
        what: &'static str,
        /// The expected value.
        expected: String,
        /// The value found.
        found: String,
    },
}

impl From<io::Error> for Error {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl From<vnp_job::Error> for Error {
    fn from(error: vnp_job::Error) -> Self {
        match error {
            vnp_job::Error::Interrupted(interrupted) => Self::Interrupted(interrupted),
            vnp_job::Error::Io(error) => Self::Io(error),
            vnp_job::Error::Checkpoint(error) => Self::Checkpoint(error),
            error => Self::Job(error),
        }
    }
}

impl Error {
    /// This error, or [`vnp_job::Error::Vanished`] if its cause is that something of the directory is gone.
    pub(crate) fn or_vanished(self, directory: &JobDirectory) -> Self {
        let vanished = match &self {
            Self::Io(error) => directory.vanished(error),
            Self::Checkpoint(error) => directory.vanished(error),
            Self::Job(error) => directory.vanished(error),
            error => directory.vanished(error),
        };
        vanished.map_or(self, Self::Job)
    }

    /// Whether the cause lies in existing checkpoints (exit code 3) rather than in this training.
    ///
    /// ```
    /// let path = "OUT/checkpoints/training.vnp".into();
    /// let error = vnp_train::Error::BadState { path, reason: "truncated".to_owned() };
    /// assert!(error.is_checkpoint_issue());
    /// ```
    #[must_use]
    pub fn is_checkpoint_issue(&self) -> bool {
        match self {
            Self::Job(error) => error.is_checkpoint_issue(),
            Self::BadState { .. } | Self::OtherEncoder { .. } => true,
            Self::Checkpoint(error) => error.is_corrupted() || error.is_incompatible(),
            _ => false,
        }
    }

    /// The interruption, if the training was asked to stop.
    #[must_use]
    pub fn interrupted(&self) -> Option<Interrupted> {
        match self {
            Self::Interrupted(interrupted) => Some(*interrupted),
            _ => None,
        }
    }
}
