use std::io;
use std::path::PathBuf;

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
            Self::OtherIdentity { .. } | Self::BadState { .. } => true,
            Self::Checkpoint(error) => error.is_corrupted() || error.is_incompatible(),
            _ => false,
        }
    }
}

fn listed<T: ToString>(items: &[T]) -> String {
    items.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}
