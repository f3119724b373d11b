//! A durable job directory: what a run of `vnp predict` and a training have in common on disk.
//!
//! A job works for hours in one directory and can be killed at any moment. This crate argues once why
//! nothing that was saved is lost: [`JobDirectory`] enters the directory ([`Start`]), locks it, and
//! removes what killed sessions left; [`publish`] gives files and directories their names only when
//! they are complete and durable; [`quarantine`] moves bad files out of the way;
//! [`Difference`] explains why the work of another job cannot be continued; [`StopFlag`] and
//! [`Interrupted`] end a job with its work saved; [`Spool`] keeps an input that can be read only once.
//! [`parts`] is the progress of a run; [`sorter`] sorts what does not fit into memory.
//!
//! ```
//! use vnp_job::{JobDirectory, JobKind, Start, publish};
//!
//! static KIND: JobKind = JobKind {
//!     name: "count",
//!     results: &["count.txt"],
//!     result_directories: &[],
//!     stages: &[],
//!     state: &[],
//!     temporaries: &[],
//!     stranger: |_, _| None,
//! };
//! # fn main() -> Result<(), vnp_job::Error> {
//! # let dir = tempfile::tempdir()?;
//! let directory = JobDirectory::open(&dir.path().join("out"), &KIND, Start::New, Vec::new())?;
//! publish::text(&directory.result("count.txt"), "42\n")?;
//! # Ok(()) }
//! ```
//!
//! The crate prints nothing, reads no environment and knows no command line.

mod bad_file;
mod directory;
mod error;
mod files;
mod identity;
mod kind;
mod lock;
mod log_file;
mod part_name;
pub mod parts;
pub mod publish;
mod published_directory;
mod quarantine;
mod save_clock;
pub mod sorter;
mod spool;
mod stop;
mod time;

pub use bad_file::BadFile;
pub use directory::JobDirectory;
pub use directory::contents::is_checkpoint_file;
pub use directory::place::refuse_link;
pub use error::{Error, Refusal, io_at};
pub use files::{entries, remove_file_if_there, remove_if_there};
pub use identity::{Difference, differences};
pub use kind::{JobKind, OnBadFile, Start};
pub use lock::claim::{Claim, NotTaken, STALE_AFTER};
pub use log_file::{LOG_FIRST_LINE, is_log_file};
pub use published_directory::PublishedDirectory;
pub use quarantine::{QUARANTINED, quarantine, record_failures};
pub use save_clock::SaveClock;
pub use spool::{Input, OpenStream, Spool, SpooledInput};
pub use stop::{Interrupted, StopFlag, Unsaved};
pub use time::rfc3339;
