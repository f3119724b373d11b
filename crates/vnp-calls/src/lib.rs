//! Calls: what a contig is, from the scores of its chunks, and what a read is, from its alignments to
//! contigs. The rules are those of the surveillance workflow that consumes VirNucPro's tables.
//!
//! ```
//! use vnp_calls::{CallOptions, ContigScores, write_header, write_row};
//!
//! let mut scores = ContigScores::default();
//! for _ in 0..5 {
//!     scores.add(0.1, 0.9)?;
//! }
//! let mut table = Vec::new();
//! write_header(&mut table)?;
//! if let Some(call) = scores.call(&CallOptions::default()) {
//!     write_row(&mut table, b"contig_1", &call)?;
//! }
//! assert!(table.ends_with(b"contig_1\tViral\thigh_confidence\t0.8\t5\t5\t0\t0\t1.0\t0.0\n"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod call;
mod contig;
mod error;
mod sum;
mod table;

pub use call::{Call, CallOptions, ContigCall, Tier};
pub use contig::ContigScores;
pub use error::Error;
pub use sum::ExactSum;
pub use table::{CONTIG_COLUMNS, write_header, write_row};
