//! Training: labelled data in groups, the head, small encoders, metrics.
//!
//! Relatives never stand on both sides of a split, nothing is drawn without a seed, and training
//! that is killed goes on to the same tensors. The crate prints nothing, reads no environment and
//! knows no command line.
//!
//! [`prepare`] turns labelled records into chunks in groups and parts; once both encoders have
//! embedded those, [`read_prepared`] makes [`Examples`] of them. [`read_embeddings`] makes examples
//! of embeddings that are there already. [`train_head`] learns a head from examples, [`train_joint`]
//! both encoders and the head from records.

mod chunks;
mod corpus;
mod directory;
mod embedded;
mod error;
mod examples;
mod fit;
mod groups;
mod head;
mod host;
mod identity;
mod joint;
mod learner;
mod lock;
mod memory;
mod metrics;
mod observer;
mod optimizer;
mod parameters;
mod part;
mod prepare;
mod recipe;
mod records;
mod report;
mod rng;
mod schedule;
mod session;
mod snapshot;
mod state;
#[cfg(test)]
mod testing;
mod train_head;
mod words;

pub use chunks::{Chunk, ChunkTally, cut, sample};
pub use corpus::{Corpus, embed_chunks, named as named_groups, shared_words};
pub use directory::TrainingDirectory;
pub use embedded::{Embedded, EmbeddedInput, Encoders, Reading, read_embeddings, read_prepared};
pub use error::Error;
pub use examples::{Examples, Group, Row};
pub use fit::Epoch;
pub use groups::{Groups, Member, RELATED, Relatives, Shares};
pub use head::HeadSize;
pub use identity::{Difference, Identity};
pub use joint::{
    Augmentation, EncoderSetup, EncoderSize, JointData, JointRecipe, Keep, LengthShare,
    TrainedModel, train_joint, word_tokenizer,
};
pub use metrics::{
    Bin, Calibration, Call, Comparison, Confusion, Evaluation, Interval, KindMetrics, Metrics,
    ScoreDifference, chunk_calls, compare, evaluate, frame_calls, score,
};
pub use observer::{Event, Observer, Silent};
pub use optimizer::Optimizer;
pub use part::Part;
pub use prepare::{Preparation, PreparationRecord, Prepared, PreparedChunk, prepare};
pub use recipe::{HeadRecipe, Sampling};
pub use records::{Class, Coding, Input, LabelledRecord, RecordSet, read_records};
pub use report::{metrics_json, write_history, write_metrics};
pub use rng::Rng;
pub use schedule::{Course, Schedule};
pub use session::{Outcome, Session, Start};
pub use snapshot::Snapshot;
pub use train_head::{TrainedHead, train_head};
pub use words::{SharedWords, WORD_LENGTH, WordSet, words};

/// Bytes as hexadecimal digits.
fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
