//! Training: labelled data in groups, the head, small encoders, metrics.
//!
//! Relatives are never in two splits, nothing is drawn without a seed, and a training that is killed
//! resumes to the same tensors. The crate prints nothing, reads no environment and knows no command
//! line.
//!
//! [`prepare`] turns labelled records into chunks in groups and splits; once both encoders have
//! embedded those, [`Embedded::of_prepared`] makes [`Examples`] of them. [`Embedded::read`] makes
//! examples of existing embeddings. [`train_head`] learns a head from examples, [`train_joint`] both
//! encoders and the head from records.

mod data;
mod difference;
mod directory;
mod error;
mod head;
mod hex;
mod identity;
mod joint;
mod learn;
mod lock;
mod measure;
mod observer;
mod publish;
mod rng;
mod session;
mod split;
#[cfg(test)]
mod testing;

pub use data::chunks::Chunk;
pub use data::class::Class;
pub use data::corpus::Corpus;
pub use data::embedded::inputs::Reading;
pub use data::embedded::source::{Embedded, Encoders};
pub use data::examples::{Examples, Row};
pub use data::groups::Groups;
pub use data::input::Input;
pub use data::kmers::KmerSet;
pub use data::preparation::Preparation;
pub use data::prepare::prepare;
pub use data::prepared::Prepared;
pub use data::record::LabelledRecord;
pub use data::shared_kmers::SharedKmers;
pub use data::shares::Shares;
pub use directory::TrainingDirectory;
pub use error::Error;
pub use head::recipe::{HeadRecipe, Sampling};
pub use head::train::{TrainedHead, train_head};
pub use identity::Identity;
pub use joint::data::JointData;
pub use joint::model::TrainedModel;
pub use joint::recipe::{Augmentation, EncoderSize, JointRecipe, Keep, LengthShare};
pub use joint::setup::EncoderSetup;
pub use joint::train::train_joint;
pub use learn::epoch::Epoch;
pub use learn::optimizer::Optimizer;
pub use learn::schedule::{Course, Schedule};
pub use measure::call::Call;
pub use measure::comparison::{Comparison, ScoreDifference};
pub use measure::evaluation::Evaluation;
pub use observer::{Event, Observer, Silent};
pub use publish::head::HeadTraining;
pub use publish::joint::JointTraining;
pub use publish::{Published, Request, Training, publish};
pub use rng::Rng;
pub use session::{Outcome, Session, Start};
pub use split::Split;
