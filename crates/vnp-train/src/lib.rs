//! Training: labelled data in groups, the head, small encoders, metrics.
//!
//! Relatives are never in two splits, nothing is drawn without a seed, and a training that is killed
//! resumes to the same tensors. The crate prints nothing, reads no environment and knows no command
//! line.
//!
//! [`train`](train()) does the whole: it chooses chunks of labelled records, embeds them, learns a head, or
//! both encoders and the head, measures the result, and publishes a bundle. Its parts can be used by
//! themselves: [`Groups`] finds relatives, [`Chunk::cut_all`] cuts records, [`Examples::embed`] embeds
//! chunks, [`train_head`] learns a head from examples, [`train_joint`] encoders and head from records,
//! [`Evaluation`] measures.

mod data;
mod error;
mod event;
mod head;
mod identity;
mod job;
mod joint;
mod learn;
mod measure;
mod rng;
mod session;
mod split;
#[cfg(test)]
mod testing;
mod train;

pub use data::chunks::Chunk;
pub use data::class::Class;
pub use data::embedded::inputs::Reading;
pub use data::examples::{Examples, Row};
pub use data::groups::Groups;
pub use data::input::Input;
pub use data::kmers::KmerSet;
pub use data::preparation::Preparation;
pub use data::prepared::PreparationRecord;
pub use data::record::LabelledRecord;
pub use data::shared_kmers::SharedKmers;
pub use data::shares::Shares;
pub use error::Error;
pub use event::Event;
pub use head::recipe::{HeadRecipe, Sampling};
pub use head::train::{TrainedHead, train_head};
pub use identity::Identity;
pub use job::JOB;
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
pub use rng::Rng;
pub use session::Session;
pub use split::{Split, SplitCounts};
pub use train::{Data, HeadTraining, JointTraining, Method, Published, TrainOptions, train};
