//! A run: identity, stages, parts, resume, signals and results.
//!
//! [`predict`] reads FASTA or FASTQ, takes every stop-free reading frame through both encoders
//! and the head (and on request every chunk without one through the nucleotide encoder and a
//! fallback head: another [`Track`]), saves each window of rows as it is computed, and publishes the results once the
//! saved parts provably cover every row. A part is a checkpoint with the rows `[start, end)` of
//! one [`Stage`]; there is no other record of progress, so that resuming, repairing and finishing
//! are one operation: find the missing rows and compute them.
//!
//! The crate prints nothing, reads no environment and knows no command line: a caller gives it
//! [`RunOptions`], a model, an [`Observer`] and a [`StopFlag`].

mod directory;
mod error;
mod estimate;
mod forecast;
mod identity;
mod legacy;
mod lock;
mod manifest;
mod memory;
mod observer;
mod options;
mod orfs;
mod part;
mod plan;
mod publish;
mod results;
mod resume;
mod row;
mod run;
mod source;
mod spool;
mod stage;
mod stop;
mod survey;
mod track;
mod worker;

pub use directory::names;
pub use error::Error;
pub use estimate::{Estimate, Workload};
pub use forecast::{Progress, Rate};
pub use identity::{Difference, Identity};
pub use legacy::features::old_feature_widths;
pub use manifest::{Counts, DnaOnlyCounts};
pub use observer::{Event, Observer, Silent};
pub use options::{Input, ModelInfo, OnBadPart, RunOptions, Start, Trust};
pub use orfs::orfs;
pub use resume::{BadPart, ResumeSummary};
pub use run::{LoadModel, Outcome, Summary, predict};
pub use stage::Stage;
pub use stop::StopFlag;
pub use survey::Survey;
pub use track::Track;
