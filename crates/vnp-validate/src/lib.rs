//! Validation of checkpoints: findings as data, a failure log, exit codes.
//!
//! [`validate_checkpoint`] inspects a file, level by level, and returns a [`Report`]. An `Err`
//! means that the file could not be inspected; a [`Finding`] means that it was inspected and this is
//! wrong. Each finding has a stable [`Code`], which `docs/VALIDATION.md` of the repository explains,
//! and is either *corrupted* (damaged, or never finished) or *incompatible* (intact, but not for this
//! release or this use). [`verify`] returns the checkpoint itself, as [`Verified`], a type that
//! only it creates.
//!
//! ```
//! use vnp_ckpt::{Checkpoint, atomic_save};
//! use vnp_validate::{Code, Options, Outcome, validate_checkpoint};
//!
//! # let directory = tempfile::tempdir().unwrap();
//! # let path = directory.path().join("part.vnp");
//! atomic_save(&path, &Checkpoint::builder("scores").build().unwrap()).unwrap();
//! let report = validate_checkpoint(&path, &Options::default())?;
//! assert_eq!(report.outcome(), Outcome::Ok);
//!
//! std::fs::write(&path, b"").unwrap();
//! let report = validate_checkpoint(&path, &Options::default())?;
//! assert_eq!(report.outcome(), Outcome::Corrupted);
//! assert_eq!(report.findings[0].code, Code::Empty);
//! # Ok::<(), vnp_validate::Error>(())
//! ```
//!
//! The crate writes only failure logs, never prints, and never reads the environment.

mod check;
mod error;
mod exit_code;
mod failure_log;
mod finding;
mod level;
mod options;
mod report;
mod schema;
mod tree;
mod verified;

pub use check::validate_checkpoint;
pub use error::Error;
pub use exit_code::CHECKPOINT_EXIT_CODE;
pub use failure_log::{
    FAILED_CHECKPOINTS, FAILED_FILES, FailedCheckpoint, Failure, load_failed_checkpoints,
    load_failures, log_failed_checkpoint, log_failure,
};
pub use finding::{Code, Finding, Severity};
pub use level::Level;
pub use options::Options;
pub use report::{Outcome, Report};
pub use schema::{Schema, TensorRule};
pub use tree::validate_tree;
pub use verified::{Verified, verify};
