//! Versioned checkpoints of ids and tensors: write native files, read every version ever written.
//!
//! A [`Checkpoint`] holds the rows `[a, b)` of some work: an id for each row, tensors whose first
//! dimension is the row, and metadata. [`atomic_save`] writes a file that is complete or does not
//! exist, also after a crash; [`load_with_compatibility`] reads any version up to
//! [`CHECKPOINT_VERSION`], verifies every byte of it, and refuses newer ones and
//! advises to upgrade. Nothing in a file is ever trusted: every size is compared with the file's length and
//! with [`Limits`] before memory is taken for it.
//!
//! ```
//! use vnp_ckpt::{Checkpoint, Limits, RowRange, Tensor};
//!
//! # let directory = tempfile::tempdir().unwrap();
//! # let path = directory.path().join("part.vnp");
//! let embeddings = Tensor::from_f32([2, 3], vec![0.1, 0.2, 0.3, 0.4, 0.5, 0.6])?;
//! let checkpoint = Checkpoint::builder("nucleotide")
//!     .rows(RowRange::new(0, 2))
//!     .ids(vec!["read1".into(), "read2".into()])
//!     .tensor("embedding", embeddings)
//!     .build()?;
//! vnp_ckpt::atomic_save(&path, &checkpoint)?;
//!
//! let read = vnp_ckpt::load_with_compatibility(&path, &Limits::default())?;
//! assert_eq!(read, checkpoint);
//! # Ok::<(), vnp_ckpt::Error>(())
//! ```
//!
//! The format is specified in `docs/FORMAT.md` of the repository, PyTorch files in
//! `docs/PYTORCH.md`. The crate never
//! prints and never reads the environment; it logs through [`log`].

#[cfg_attr(not(feature = "torch"), allow(dead_code, reason = "pickles need all of it"))]
mod budget;
mod checkpoint;
mod digest;
mod error;
mod gate;
mod header;
mod limits;
mod read;
mod rows;
pub mod temporaries;
mod tensor;
mod value;
mod version;
mod write;

pub use checkpoint::Checkpoint;
pub use checkpoint::builder::CheckpointBuilder;
pub use checkpoint::rows::{Row, Rows};
pub use digest::Digest;
pub use error::Error;
pub use error::kind::ErrorKind;
pub use header::preamble::MAGIC;
pub use header::{Encoding, Header, Producer, Section, Status};
pub use limits::Limits;
pub use read::container::Integrity;
pub use read::file::{CheckpointFile, Pieces};
pub use read::mistaken::Mistaken;
pub use read::{load_with_compatibility, open_reader, read_header, verify_digests};
pub use rows::RowRange;
pub use tensor::Tensor;
pub use tensor::dtype::{Dtype, UnknownDtype};
pub use tensor::element::Element;
pub use value::Value;
pub use version::{CHECKPOINT_VERSION, Version};
pub use write::atomic::atomic_save;
pub use write::directory::sync_directory;
pub use write::format::Format;
#[cfg(feature = "safetensors")]
pub use write::safetensors::export_safetensors;
pub use write::sweep::{sweep_abandoned_temporaries, sweep_stale_temporaries};
#[cfg(feature = "torch")]
pub use write::torch::export_torch;
pub use write::writer::CheckpointWriter;

// The types of half-precision tensors are `half`'s.
pub use half;
