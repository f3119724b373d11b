//! A run of `vnp predict`: from FASTA or FASTQ to scores and tables.
//!
//! [`predict`] reads the input, takes every ORF (stop-free reading frame) through both encoders and
//! the head (and on request every chunk without an ORF through the nucleotide encoder and a
//! nucleotide-only head), saves each window of rows as it is computed, and publishes the results once
//! the saved parts provably cover every row. What a part is, and how missing rows are found, is
//! [`vnp_job::parts`]; resuming, repairing and finishing are one operation: find the missing rows and
//! compute them. With [`Goal::Embeddings`] the embeddings themselves are what is kept.
//!
//! [`embed`](embed::embed) does the same for whole records and one encoder.
//!
//! The crate prints nothing, reads no environment and knows no command line: a caller gives it
//! [`RunOptions`], a model, a function that receives every [`Event`], and a [`StopFlag`].

mod bad_parts;
mod duplicates;
pub mod embed;
mod error;
mod estimate;
mod event;
mod forecast;
mod import;
mod memory;
pub mod names;
mod options;
mod orfs;
mod publish;
mod publishing;
mod reading;
mod results;
mod resume;
mod row;
mod run;
mod source;
mod survey;
mod validate;
mod worker;

pub use duplicates::{Duplicate, DuplicateIds, Duplicates};
pub use error::Error;
pub use estimate::{Estimate, Workload};
pub use event::Event;
pub use forecast::{Progress, Rate};
pub use import::features::old_feature_widths;
pub use options::{EncoderDigests, Goal, ModelInfo, RunOptions};
pub use orfs::orfs;
pub use publishing::{ChunkRows, Compat, ContigCalls, Publishing};
pub use resume::ResumeSummary;
pub use run::{LoadModel, Summary, predict};
pub use survey::Survey;
pub use validate::{Validation, validate};
pub use vnp_job::parts::{Counts, DnaOnlyCounts, Identity, Stage, Track, Trust};
pub use vnp_job::{BadFile, Difference, Input, Interrupted, OnBadFile, Start, StopFlag};
