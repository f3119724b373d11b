//! Training: labelled data in groups, the head, small encoders, metrics.
//!
//! Relatives never stand on both sides of a split, nothing is drawn without a seed, and training
//! that is killed goes on to the same tensors. The crate prints nothing, reads no environment and
//! knows no command line.

mod directory;
mod error;
mod examples;
mod fit;
mod head;
mod host;
mod identity;
mod learner;
mod lock;
mod memory;
mod metrics;
mod observer;
mod optimizer;
mod parameters;
mod part;
mod recipe;
mod report;
mod rng;
mod schedule;
mod session;
mod snapshot;
mod state;
mod train_head;

pub use directory::TrainingDirectory;
pub use error::Error;
pub use examples::{Examples, Group, Row};
pub use fit::Epoch;
pub use head::HeadSize;
pub use identity::{Difference, Identity};
pub use metrics::{
    Bin, Calibration, Call, Comparison, Confusion, Evaluation, Interval, KindMetrics, Metrics,
    ScoreDifference, chunk_calls, compare, evaluate, frame_calls, score,
};
pub use observer::{Event, Observer, Silent};
pub use optimizer::Optimizer;
pub use part::Part;
pub use recipe::{HeadRecipe, Sampling};
pub use report::{metrics_json, write_history, write_metrics};
pub use rng::Rng;
pub use schedule::{Course, Schedule};
pub use session::{Outcome, Session, Start};
pub use snapshot::Snapshot;
pub use train_head::{TrainedHead, train_head};
