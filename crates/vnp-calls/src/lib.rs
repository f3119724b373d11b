//! Calls: what a contig is, from the scores of its chunks, and what a read is, from its alignments to
//! contigs. The rules are those of the surveillance workflow that consumes VirNucPro's tables.
//!
//! [`ContigTable`] writes `contig_calls.tsv`, and [`call_reads`] joins it with alignments.

mod call;
mod contig;
mod contig_table;
mod error;
mod keyed;
mod numbers;
mod pattern;
mod reads;
mod sum;
mod table;

pub use call::{Call, CallOptions, ContigCall, Tier};
pub use contig::ContigScores;
pub use contig_table::{ContigSummary, ContigTable};
pub use error::Error;
pub use numbers::{numpy_text, python_text};
pub use pattern::{GroupPattern, PatternError};
pub use reads::keep::{KeepCalls, UnknownCall};
pub use reads::rows::{ALIGNMENT_COLUMNS, CONCORDANCE_COLUMN};
pub use reads::source::AlignmentFormat;
pub use reads::summary::ReadsSummary;
pub use reads::{ReadsOptions, call_reads};
pub use sum::ExactSum;
pub use table::{CONTIG_COLUMNS, write_header, write_row};
