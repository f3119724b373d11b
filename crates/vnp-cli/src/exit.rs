//! How the process ends: exit codes, and errors in one line.

use std::process::ExitCode;

use vnp_validate::CHECKPOINT_EXIT_CODE;

/// How the process ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// Everything asked for was done, also with zero viral hits.
    Done,
    /// The command failed; usage errors included.
    Failed,
    /// The run finished, but some rows or records failed.
    Partial,
    /// A checkpoint is damaged, incompatible or of another run.
    Checkpoint,
    /// A signal interrupted it, and the work so far is saved.
    Interrupted(usize),
}

impl Exit {
    /// The exit code of the process.
    pub(crate) fn code(self) -> u8 {
        /// The number of SIGINT, everywhere.
        const INTERRUPT: usize = 2;
        match self {
            Self::Done => 0,
            Self::Failed => 1,
            Self::Partial => 2,
            Self::Checkpoint => CHECKPOINT_EXIT_CODE,
            Self::Interrupted(INTERRUPT) => 130,
            // Every other signal is a request to end, as SIGTERM is.
            Self::Interrupted(_) => 143,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}

/// The exit code of an error.
pub(crate) fn of_error(error: &anyhow::Error) -> Exit {
    let interrupted = error.chain().find_map(|cause| {
        let run = cause.downcast_ref().and_then(vnp_pipeline::Error::interrupted);
        run.or_else(|| cause.downcast_ref().and_then(vnp_train::Error::interrupted))
    });
    if let Some(interrupted) = interrupted {
        return Exit::Interrupted(interrupted.signal);
    }
    let checkpoint = error.chain().any(|cause| {
        let run = cause.downcast_ref().map(vnp_pipeline::Error::is_checkpoint_issue);
        let training = cause.downcast_ref().map(vnp_train::Error::is_checkpoint_issue);
        let job = cause.downcast_ref().map(vnp_job::Error::is_checkpoint_issue);
        run.or(training).or(job).unwrap_or(false) || cause.is::<CheckpointIssue>()
    });
    if checkpoint { Exit::Checkpoint } else { Exit::Failed }
}

/// An error of the checkpoint that a command reads: exit code 3.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub(crate) struct CheckpointIssue(pub(crate) vnp_ckpt::Error);

#[cfg(test)]
mod tests {
    use super::*;
    use anyhow::Context;

    #[track_caller]
    fn check(error: anyhow::Error, expected: Exit) {
        assert_eq!(of_error(&error), expected);
    }

    #[test]
    fn every_signal_but_sigint_ends_like_sigterm() {
        let codes = [2, 15, 1, 24].map(|signal| Exit::Interrupted(signal).code());
        assert_eq!(codes, [130, 143, 143, 143]);
    }

    #[test]
    fn an_error_knows_its_exit() {
        check(anyhow::anyhow!("x"), Exit::Failed);
        let incomplete = || vnp_pipeline::Error::Incomplete {
            stage: vnp_pipeline::Stage::Scores,
            missing: Vec::new(),
        };
        check(incomplete().into(), Exit::Checkpoint);
        check(Err::<(), _>(incomplete()).context("predict").unwrap_err(), Exit::Checkpoint);
        let interrupted = vnp_pipeline::Interrupted { signal: 15 };
        check(vnp_pipeline::Error::from(interrupted).into(), Exit::Interrupted(15));
        let differences = Vec::new();
        let other = vnp_job::Error::OtherIdentity { path: "p".into(), differences };
        check(vnp_train::Error::from(other).into(), Exit::Checkpoint);
        let embedding = vnp_train::Error::Embedding(incomplete().into());
        check(embedding.into(), Exit::Checkpoint);
        check(vnp_train::Error::from(interrupted).into(), Exit::Interrupted(15));
        check(std::io::Error::from(std::io::ErrorKind::StorageFull).into(), Exit::Failed);
    }
}
