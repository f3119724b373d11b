use std::io;
use std::path::{Path, PathBuf};

use vnp_ckpt::RowRange;

use crate::identity::Difference;
use crate::resume::BadPart;

/// What ended a run before its results were published.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The output directory exists and the caller asked neither to resume nor to start again.
    #[error("output directory {} exists: continue its run with --resume, or start again with --force", path.display())]
    OutputExists {
        /// The directory.
        path: PathBuf,
    },
    /// The output directory holds results of another tool.
    #[error("{} holds results that no vnp run wrote: choose another directory", path.display())]
    NotARun {
        /// The directory.
        path: PathBuf,
    },
    /// Another process works in the output directory.
    #[error("output directory {} is in use by {holder}: wait for it, or choose another directory", path.display())]
    Locked {
        /// The directory.
        path: PathBuf,
        /// Who holds it, as written in the lock file.
        holder: String,
    },
    /// A file of the run could not be read or written; the message names it.
    #[error("{0}")]
    Io(#[from] io::Error),
    /// The input could not be read.
    #[error(transparent)]
    Sequence(#[from] vnp_seq::Error),
    /// No record of the input can be a nucleotide sequence.
    #[error("none of the {records} records is a nucleotide sequence: record \"{id}\": {reason}")]
    NoNucleotides {
        /// How many records the input holds.
        records: u64,
        /// The first refused record.
        id: String,
        /// Why it was refused.
        reason: String,
    },
    /// The input was changed while the run read it.
    #[error(
        "the input changed while it was read ({found}): run again on a file that stays as it is"
    )]
    InputChanged {
        /// What differed.
        found: String,
    },
    /// The model could not be loaded, or failed.
    #[error(transparent)]
    Model(#[from] vnp_infer::Error),
    /// Chunks without an open frame are to be scored, by a model that cannot.
    #[error(
        "model {model} has no fallback head to score chunks without an open frame: leave out \
         --score-all, or choose a bundle with fallback.safetensors"
    )]
    NoFallback {
        /// The model's name.
        model: String,
    },
    /// There is no model to compute with.
    #[error("no device was given to compute on: choose one with --device")]
    NoDevice,
    /// A part could not be saved or read.
    #[error(transparent)]
    Checkpoint(#[from] vnp_ckpt::Error),
    /// A part could not be looked at.
    #[error(transparent)]
    Validation(#[from] vnp_validate::Error),
    /// The checkpoints belong to a run of other input, model or settings.
    #[error("{} holds another run: {}; give the same input and settings, or start again with --force", path.display(), listed(differences))]
    OtherIdentity {
        /// The output directory.
        path: PathBuf,
        /// Every field that differs.
        differences: Vec<Difference>,
    },
    /// Parts of the run are corrupted, incompatible or out of place.
    #[error(
        "{}; compute these rows again with --force-resume, start again with --force, or remove the file and --resume",
        listed(parts)
    )]
    BadParts {
        /// Each bad part with its finding.
        parts: Vec<BadPart>,
    },
    /// There is nothing to take in the directory of an old run.
    #[error(
        "{} holds no feature files (output_N_DNABERT_S.pt, output_N_ESM.pt): give the output directory of a virnucpro run",
        path.display()
    )]
    NoOldFeatures {
        /// The directory.
        path: PathBuf,
    },
    /// Feature files of an old run cannot be trusted.
    #[error(
        "{}; compute their rows instead with --force-resume; the old files stay as they are",
        listed(files)
    )]
    BadOldFiles {
        /// Each file with its finding.
        files: Vec<BadPart>,
    },
    /// The parts do not cover every row, so nothing was published.
    #[error(
        "rows {} have no scores: nothing was published; run again with --resume",
        listed(missing)
    )]
    Incomplete {
        /// The rows without scores.
        missing: Vec<RowRange>,
    },
    /// A part's row was made of another frame than the input has in that place.
    #[error("{}: row {row} is {found}, expected \"{expected}\"", path.display())]
    RowMismatch {
        /// The part.
        path: PathBuf,
        /// The row, counted over the whole run.
        row: u64,
        /// The id of the input's frame.
        expected: String,
        /// What the row was made of.
        found: String,
    },
    /// An encoder or the head answered another number of values than it was asked for.
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

impl Error {
    /// Whether the trouble lies in existing checkpoints (exit code 3) rather than in this run.
    ///
    /// ```
    /// let error = vnp_pipeline::Error::Incomplete { missing: Vec::new() };
    /// assert!(error.is_checkpoint_issue());
    /// ```
    #[must_use]
    pub fn is_checkpoint_issue(&self) -> bool {
        match self {
            Self::OtherIdentity { .. }
            | Self::BadParts { .. }
            | Self::NoOldFeatures { .. }
            | Self::BadOldFiles { .. }
            | Self::Incomplete { .. }
            | Self::RowMismatch { .. } => true,
            // A part that was trusted after the cheap checks only.
            Self::Checkpoint(error) => error.is_corrupted() || error.is_incompatible(),
            _ => false,
        }
    }
}

impl Error {
    /// The part to blame, when a part that was trusted turned out to be bad when it was used.
    pub(crate) fn bad_part(&self) -> Option<BadPart> {
        match self {
            Self::RowMismatch { path, row, expected, found } => Some(BadPart {
                path: path.clone(),
                reason: format!("row {row} is {found}, expected \"{expected}\""),
            }),
            Self::Checkpoint(error) if error.is_corrupted() || error.is_incompatible() => {
                let path = error.path()?.to_owned();
                Some(BadPart { reason: error.kind().to_string(), path })
            }
            _ => None,
        }
    }
}

/// The error with the path it happened at, as fs-err words it.
pub(crate) fn named(path: &Path, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("failed to write `{}`: {error}", path.display()))
}

/// The first few items; a run can have thousands of bad parts.
fn listed<T: ToString>(items: &[T]) -> String {
    const SHOWN: usize = 8;
    let mut texts: Vec<String> = items.iter().take(SHOWN).map(ToString::to_string).collect();
    if items.len() > SHOWN {
        texts.push(format!("and {} more", items.len() - SHOWN));
    }
    texts.join("; ")
}
