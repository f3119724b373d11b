//! What ends a run.

use std::io;
use std::path::PathBuf;

use vnp_ckpt::RowRange;
use vnp_escape::{escaped, escaped_path, listed, sentence, shown, shown_bytes};
use vnp_job::parts::Stage;
use vnp_job::{BadFile, Interrupted, JobDirectory};

use crate::duplicates::Duplicates;

/// What ended a run before its results were published.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The output directory, its parts or its results.
    #[error(transparent)]
    Job(vnp_job::Error),
    /// A signal asked for the end; what was computed is saved.
    #[error(transparent)]
    Interrupted(#[from] Interrupted),
    /// A file of the run could not be read or written; the message names it.
    #[error("{}", escaped(.0))]
    Io(io::Error),
    /// The input could not be read.
    #[error(transparent)]
    Sequence(#[from] vnp_seq::Error),
    /// No record of the input can be a nucleotide sequence.
    #[error(
        "{}: none of the {records} records is a nucleotide sequence: record {record} \"{id}\": {reason}",
        escaped_path(file), id = shown(id), reason = sentence(reason)
    )]
    NoNucleotides {
        /// How many records the input holds.
        records: u64,
        /// The file of the first refused record.
        file: PathBuf,
        /// The number of that record in its file, counted from 1.
        record: u64,
        /// Its id, as messages show it.
        id: String,
        /// Why it was refused.
        reason: String,
    },
    /// Contigs cannot be called.
    #[error(transparent)]
    Contigs(vnp_calls::Error),
    /// Ids are not unique, and that is to be refused.
    #[error("{found}: give each record an id of its own, or leave out --duplicate-ids refuse")]
    DuplicateIds {
        /// The duplicates.
        found: Duplicates,
    },
    /// Proteins have letters outside the alphabet of ESM-2.
    #[error(
        "not in the alphabet of ESM-2: {}; correct these records, or read such letters as <unk> with --unknown-residues mask",
        escaped(records.join("; "))
    )]
    UnknownResidues {
        /// The first records with the first such letter of each, and how many more there are.
        records: Vec<String>,
    },
    /// The name of an output does not end in the extension of a format.
    #[error(
        "{}: the name of the output must end in one of .vnp, .pt, .safetensors",
        escaped_path(path)
    )]
    OutputFormat {
        /// The output.
        path: PathBuf,
    },
    /// The output exists and the caller asked neither to resume nor to start again.
    #[error(
        "output {} exists: check and keep it with --resume, or replace it with --force",
        escaped_path(path)
    )]
    OutputFileExists {
        /// The output.
        path: PathBuf,
    },
    /// The output's name is that of something else.
    #[error(
        "output {} is {found}: choose another name, or move it away",
        escaped_path(path), found = sentence(found)
    )]
    OutputNotOurs {
        /// The output.
        path: PathBuf,
        /// What it is.
        found: String,
    },
    /// The input was changed while the run read it.
    #[error(
        "the input changed while it was read ({found}): run again on a file that stays as it is",
        found = sentence(found)
    )]
    InputChanged {
        /// What differed.
        found: String,
    },
    /// The model could not be loaded, or failed.
    #[error(transparent)]
    Model(#[from] vnp_infer::Error),
    /// Chunks without an ORF are to be scored, by a model that cannot.
    #[error(
        "model {model} has no nucleotide-only head to score chunks without an ORF: leave out \
         --score-all, or choose a bundle with fallback.safetensors",
        model = shown(model)
    )]
    NoFallback {
        /// The model's name.
        model: String,
    },
    /// There is no model to compute with.
    #[error("no device was given to compute on: choose one with --device")]
    NoDevice,
    /// A checkpoint could not be saved or read.
    #[error(transparent)]
    Checkpoint(#[from] vnp_ckpt::Error),
    /// The directory of an old run holds nothing to import.
    #[error(
        "{} holds no feature files (output_N_DNABERT_S.pt, output_N_ESM.pt): give the output directory of a virnucpro run",
        escaped_path(path)
    )]
    NoOldFeatures {
        /// The directory.
        path: PathBuf,
    },
    /// Feature files of an old run cannot be trusted.
    #[error(
        "{}; compute their rows instead with --force-resume; the old files stay as they are",
        listed(files.iter(), 8, "; ")
    )]
    BadOldFiles {
        /// Each file with its finding.
        files: Vec<BadFile>,
    },
    /// The parts do not cover every row, so nothing was published.
    #[error(
        "rows {} have no {}: nothing was published; run again with --resume",
        listed(missing.iter(), 8, "; "), stage.tensor()
    )]
    Incomplete {
        /// The stage.
        stage: Stage,
        /// The rows that it lacks.
        missing: Vec<RowRange>,
    },
    /// A part's row was computed from another frame than the input has at that row.
    #[error(
        "{}: row {row} is {found}, expected \"{}\"",
        escaped_path(path), shown_bytes(expected.as_bytes()), found = sentence(found)
    )]
    RowMismatch {
        /// The part.
        path: PathBuf,
        /// The row, counted over the whole run.
        row: u64,
        /// The id of the input's frame.
        expected: String,
        /// What the row was computed from.
        found: String,
    },
    /// An encoder or the head gave another number of values than it was asked for.
    #[error(
        "the {stage} stage gave {found} values for {expected}: the model bundle is damaged or this is a bug"
    )]
    ModelShape {
        /// The stage.
        stage: &'static str,
        /// Values asked for.
        expected: usize,
        /// Values received.
        found: usize,
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

impl From<vnp_calls::Error> for Error {
    fn from(error: vnp_calls::Error) -> Self {
        match error {
            vnp_calls::Error::Io(error) => Self::Io(error),
            error => Self::Contigs(error),
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
            Self::Sequence(
                vnp_seq::Error::Io { cause, .. } | vnp_seq::Error::Scratch { cause, .. },
            ) => directory.vanished(cause),
            error => directory.vanished(error),
        };
        vanished.map_or(self, Self::Job)
    }

    /// Whether existing checkpoints are to blame (exit code 3) rather than this run.
    ///
    /// ```
    /// let error = vnp_pipeline::Error::Incomplete {
    ///     stage: vnp_pipeline::Stage::Scores,
    ///     missing: Vec::new(),
    /// };
    /// assert!(error.is_checkpoint_issue());
    /// ```
    #[must_use]
    pub fn is_checkpoint_issue(&self) -> bool {
        match self {
            Self::Job(error) => error.is_checkpoint_issue(),
            Self::NoOldFeatures { .. }
            | Self::BadOldFiles { .. }
            | Self::Incomplete { .. }
            | Self::RowMismatch { .. } => true,
            // A part that was trusted after the cheap checks only.
            Self::Checkpoint(error) => error.is_corrupted() || error.is_incompatible(),
            _ => false,
        }
    }

    /// Whether an encoder gave up, because the work was cancelled.
    pub(crate) fn is_given_up(&self) -> bool {
        matches!(self, Self::Model(vnp_infer::Error::Interrupted))
    }

    /// The signal that ended the run, if one did.
    #[must_use]
    pub fn interrupted(&self) -> Option<Interrupted> {
        match self {
            Self::Interrupted(interrupted) => Some(*interrupted),
            _ => None,
        }
    }

    /// The part to blame, when a part that was trusted turned out to be bad when it was used.
    pub(crate) fn bad_part(&self) -> Option<BadFile> {
        match self {
            Self::RowMismatch { path, row, expected, found } => Some(BadFile {
                path: path.clone(),
                reason: format!(
                    "row {row} is {found}, expected \"{}\"",
                    shown_bytes(expected.as_bytes())
                ),
            }),
            Self::Job(vnp_job::Error::Mismatch { path, what, expected, found }) => Some(BadFile {
                path: path.clone(),
                reason: format!("{what} is {found}, expected {expected}"),
            }),
            Self::Checkpoint(error) if error.is_corrupted() || error.is_incompatible() => {
                let path = error.path()?.to_owned();
                Some(BadFile { reason: error.kind().to_string(), path })
            }
            _ => None,
        }
    }
}
