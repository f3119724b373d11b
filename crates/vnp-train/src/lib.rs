//! Training: labelled data in groups, the head, small encoders, metrics.
//!
//! Relatives never stand on both sides of a split, nothing is drawn without a seed, and training
//! that is killed goes on to the same tensors. The crate prints nothing, reads no environment and
//! knows no command line.
//!
//! [`prepare`] turns labelled records into chunks in groups and parts; once both encoders have
//! embedded those, [`read_prepared`] makes [`Examples`] of them. [`read_embeddings`] makes examples
//! of embeddings that are there already.

mod chunks;
mod embedded;
mod error;
mod examples;
mod groups;
mod part;
mod prepare;
mod records;
mod rng;
#[cfg(test)]
mod testing;
mod words;

pub use chunks::{Chunk, ChunkTally, cut, sample};
pub use embedded::{Embedded, EmbeddedInput, Encoders, Reading, read_embeddings, read_prepared};
pub use error::Error;
pub use examples::{Examples, Group, Row};
pub use groups::{Groups, Member, RELATED, Relatives, Shares};
pub use part::Part;
pub use prepare::{Preparation, PreparationRecord, Prepared, PreparedChunk, prepare};
pub use records::{Class, Coding, Input, LabelledRecord, RecordSet, read_records};
pub use rng::Rng;
pub use words::{SharedWords, WORD_LENGTH, WordSet, words};

/// Bytes as hexadecimal digits.
fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
