//! Training: labelled data in groups, the head, small encoders, metrics.
//!
//! Relatives never stand on both sides of a split, nothing is drawn without a seed, and training
//! that is killed goes on to the same tensors. The crate prints nothing, reads no environment and
//! knows no command line.

mod error;
mod examples;
mod part;
mod rng;

pub use error::Error;
pub use examples::{Examples, Group, Row};
pub use part::Part;
pub use rng::Rng;
