use std::io;
use std::path::PathBuf;

use vnp_seq::InvalidLetter;

use crate::Part;
use crate::identity::Difference;

/// What ended a preparation or a training.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A file could not be read or written; the message names it.
    #[error("{0}")]
    Io(#[from] io::Error),
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
    #[error("{}: GenBank record {record}: {reason}: export the file again, or give its sequences as FASTA", path.display())]
    GenBank {
        /// The file.
        path: PathBuf,
        /// The record, counted from 1.
        record: u64,
        /// What is wrong, in the parser's words.
        reason: String,
    },
    /// A table of labels or groups, or one of prepared chunks, is not what it should be.
    #[error("{}, line {line}: expected {expected}, found {found}", path.display())]
    Table {
        /// The table.
        path: PathBuf,
        /// The line, counted from 1.
        line: usize,
        /// What should stand there.
        expected: String,
        /// What stands there.
        found: String,
    },
    /// Something has two labels or groups.
    #[error(
        "{what} {id} is given twice, {first} and {second}: leave one of them out, or give it another id"
    )]
    Twice {
        /// What it is: a record, a row.
        what: &'static str,
        /// Its id.
        id: String,
        /// Where it was first.
        first: String,
        /// Where it was again.
        second: String,
    },
    /// A record has no label.
    #[error("{}: record {id} has no label: add it to the table of labels, or give its file to --virus or --others", path.display())]
    Unlabelled {
        /// The record's file.
        path: PathBuf,
        /// The record.
        id: String,
    },
    /// A record has no name to keep it apart from others by.
    #[error("{}: record {record} has no id: name it behind the '>'", path.display())]
    NoId {
        /// The file.
        path: PathBuf,
        /// The record, counted from 1.
        record: u64,
    },
    /// A record is no nucleotide sequence.
    #[error("{}: record {id}: {letter}", path.display())]
    NotNucleotides {
        /// The file.
        path: PathBuf,
        /// The record.
        id: String,
        /// The letter that cannot be.
        letter: InvalidLetter,
    },
    /// There is nothing to learn of one class.
    #[error("there are no {what} of the class {class}: give some with --{class}")]
    EmptyClass {
        /// `virus` or `others`.
        class: &'static str,
        /// Of what there is none: records, chunks with an open frame.
        what: &'static str,
    },
    /// A class has fewer groups of relatives than there are parts.
    #[error(
        "the class {class} has {found} groups of relatives and needs {needed}, one for each of training, \
         validation and test: give records that are less related, or a --test-share of 0"
    )]
    TooFewGroups {
        /// `virus` or `others`.
        class: &'static str,
        /// Groups there are.
        found: usize,
        /// Groups needed.
        needed: usize,
    },
    /// A part is left without one of the classes.
    #[error(
        "no chunk of the class {class} is left for {part}: give more records, or another --seed"
    )]
    EmptyPart {
        /// `virus` or `others`.
        class: &'static str,
        /// The part.
        part: &'static str,
    },
    /// A directory holds no embeddings that can be learned from.
    #[error(
        "{}: {reason}: finish its run with vnp predict --resume --keep-embeddings", path.display()
    )]
    NoEmbeddings {
        /// The directory.
        path: PathBuf,
        /// What is missing.
        reason: String,
    },
    /// The embeddings are of other encoders than the bundle to write.
    #[error(
        "the {encoder} embeddings are of another encoder ({found}) than that of {model} ({expected}): \
         give the bundle that made them with --model"
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
    /// Embeddings of two places do not go together.
    #[error("{}: {what} is {found}, expected {expected}", path.display())]
    Embeddings {
        /// The file.
        path: PathBuf,
        /// What differs.
        what: String,
        /// What the rest is.
        expected: String,
        /// What it is.
        found: String,
    },
    /// A computation on tensors failed.
    #[error("a computation failed: {0}")]
    Tensor(#[from] candle_core::Error),
    /// A network asked for a parameter that there is none of.
    #[error("there is no parameter `{name}`: this is a bug")]
    NoParameter {
        /// Its name.
        name: String,
    },
    /// Another process works in the output directory.
    #[error("output directory {} is in use by {holder}: wait for it, or choose another directory", path.display())]
    Locked {
        /// The directory.
        path: PathBuf,
        /// Who holds it, as written in the lock file.
        holder: String,
    },
    /// A training was begun here, and the caller did not ask to continue it.
    #[error("{} is of a training that was begun: continue it with --resume, or start again with --force", path.display())]
    TrainingExists {
        /// The saved state.
        path: PathBuf,
    },
    /// The saved state is of a training on other data or with other settings.
    #[error("{} is of another training: {}; give the same data and settings, or start again with --force", path.display(), listed(differences))]
    OtherIdentity {
        /// The saved state.
        path: PathBuf,
        /// Every field that differs.
        differences: Vec<Difference>,
    },
    /// The saved state is damaged, or not for this release.
    #[error("{}: {reason}; begin again with --force-resume, which sets it aside, or with --force", path.display())]
    BadState {
        /// The saved state.
        path: PathBuf,
        /// What is wrong with it.
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
    /// There is nothing to learn from, or to choose the epoch by.
    #[error("the {part} part has no {class} rows: give more groups of them")]
    NoRows {
        /// The part.
        part: Part,
        /// `viral` or `other`.
        class: &'static str,
    },
    /// A setting is out of its range.
    #[error("{setting} is {found}, expected {expected}")]
    BadSetting {
        /// The setting.
        setting: &'static str,
        /// Its range.
        expected: &'static str,
        /// Its value.
        found: String,
    },
    /// Encoders are too large to be trained.
    #[error(
        "the encoders have {found} parameters, at most {most} are trained: train a head alone, without --encoders, or smaller encoders"
    )]
    TooManyParameters {
        /// How many they have.
        found: usize,
        /// How many they may have.
        most: usize,
    },
    /// Examples or scores do not fit each other.
    #[error("{what}: expected {expected}, found {found}")]
    Mismatch {
        /// What does not fit.
        what: &'static str,
        /// What would.
        expected: String,
        /// What is there.
        found: String,
    },
}

impl Error {
    /// Whether the trouble lies in existing checkpoints (exit code 3) rather than in this training.
    ///
    /// ```
    /// let path = "OUT/checkpoints/training.vnp".into();
    /// let error = vnp_train::Error::OtherIdentity { path, differences: Vec::new() };
    /// assert!(error.is_checkpoint_issue());
    /// ```
    #[must_use]
    pub fn is_checkpoint_issue(&self) -> bool {
        match self {
            Self::OtherIdentity { .. }
            | Self::BadState { .. }
            | Self::NoEmbeddings { .. }
            | Self::OtherEncoder { .. }
            | Self::Embeddings { .. } => true,
            Self::Checkpoint(error) => error.is_corrupted() || error.is_incompatible(),
            _ => false,
        }
    }
}

fn listed<T: ToString>(items: &[T]) -> String {
    items.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}
