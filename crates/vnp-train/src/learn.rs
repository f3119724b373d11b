//! Gradient descent: what every network that learns needs, whatever its layers and its data.

pub(crate) mod average;
pub(crate) mod epoch;
pub(crate) mod fit;
pub(crate) mod gradients;
pub(crate) mod host;
pub(crate) mod learner;
pub(crate) mod memory;
pub(crate) mod optimizer;
pub(crate) mod parameters;
pub(crate) mod progress;
pub(crate) mod schedule;
pub(crate) mod snapshot;
pub(crate) mod state;
