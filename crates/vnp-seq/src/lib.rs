//! FASTA and FASTQ records, cut into chunks and searched for open reading frames (ORFs).
//!
//! A *record* is cut into overlapping *chunks* of one length ([`chunk_ranges`]). Every chunk has six
//! reading *frames*; a frame without a stop codon is an *ORF* ([`find_orfs`]), whether or not it has a
//! start codon. [`FrameReader`] streams a whole input through both steps, in parallel and in input
//! order, in bounded memory:
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
//! A reader can also return the chunks without an ORF ([`OrflessChunk`]), for which the published
//! VirNucPro has no row.
//!
//! The arithmetic and its oddities (last chunks that are short, ambiguous codons dropped, windows one
//! base longer than their codons) are those of the published VirNucPro, bit for bit. Two differences
//! are deliberate: U is read as T, and an empty record is an outcome instead of a crash.

mod chunk;
mod codon;
mod compression;
mod decoder;
mod digest;
mod encoder;
mod error;
mod fasta;
mod foreign;
mod frame;
mod head;
mod id;
mod letters;
mod lookahead;
mod orf;
mod orfless_chunk;
mod outcome;
mod reader;
mod recognise;
mod record;
mod stream;
mod text;

pub use chunk::{ChunkLength, ChunkPosition, ChunkRanges, chunk_ranges};
pub use codon::reverse_complement;
pub use compression::Compression;
pub use decoder::open_decompressed;
pub use digest::InputDigest;
pub use encoder::Encoder;
pub use error::{Error, FastqFault};
pub use fasta::{write_nucleotide_fasta, write_protein_fasta};
pub use frame::Frame;
pub use head::RecordHead;
pub use id::{chunk_id, chunk_of_frame, chunk_suffix, frame_id, record_of_chunk};
pub use orf::{Orf, find_orfs};
pub use orfless_chunk::OrflessChunk;
pub use outcome::{Block, Counts, FrameRow, RecordChunk, RecordOutcome, RecordStatus};
pub use reader::RecordReader;
pub use recognise::{open_recognised, recognised};
pub use record::{InvalidLetter, Record};
pub use stream::FrameReader;
