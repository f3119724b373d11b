//! FASTA and FASTQ records, cut into chunks and translated into stop-free reading frames.
//!
//! A *record* is cut into overlapping *chunks* of one length ([`chunk_ranges`]); every chunk has six
//! reading *frames*, of which those without a stop codon are kept ([`open_frames`]). [`FrameReader`]
//! streams a whole input through both, in parallel and in input order, with memory bounded by the
//! largest record plus a window:
//!
//! ```
//! use std::path::PathBuf;
//! use vnp_seq::{ChunkLength, FrameReader};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let dir = tempfile::tempdir()?;
//! # let path: PathBuf = dir.path().join("reads.fa");
//! std::fs::write(&path, ">read1 a description\nTCG\n>read2\n")?;
//! let mut reader = FrameReader::open(&[path], ChunkLength::new(500)?)?;
//! let mut ids = Vec::new();
//! let mut outcomes = Vec::new();
//! while let Some(block) = reader.next_block()? {
//!     ids.extend(block.rows.into_iter().map(|row| row.id));
//!     outcomes.extend(block.records);
//! }
//! assert_eq!(ids, ["read1_chunk_1F1", "read1_chunk_1R1"]);
//! assert_eq!(outcomes[1].status, vnp_seq::RecordStatus::Empty);
//! # Ok(())
//! # }
//! ```
//!
//! A reader can also be asked for the chunks without a stop-free frame ([`ClosedChunk`]), which have
//! no row in the original.
//!
//! The exact arithmetic and its oddities (chunks that end short, ambiguous codons dropped, one base
//! more than the codons in a window) are those of the published VirNucPro, bit for bit; two things
//! differ on purpose: U is read as T, and an empty record is an outcome and not a crash.

mod chunk;
mod closed;
mod codon;
mod compression;
mod digest;
mod error;
mod fasta;
mod frame;
mod orf;
mod outcome;
mod reader;
mod record;
mod stream;
mod text;

pub use chunk::{ChunkLength, ChunkPosition, ChunkRanges, chunk_ranges};
pub use closed::{ClosedChunk, reverse_complement};
pub use compression::{Compression, open_decompressed};
pub use digest::InputDigest;
pub use error::{Error, FastqFault};
pub use fasta::{write_nucleotide_fasta, write_protein_fasta};
pub use frame::Frame;
pub use orf::{OpenFrame, open_frames};
pub use outcome::{Block, Counts, FrameRow, RecordOutcome, RecordStatus};
pub use reader::RecordReader;
pub use record::{InvalidLetter, Record};
pub use stream::FrameReader;
