//! The classification head: its network, its recipe, and its training on embeddings.

pub(crate) mod batches;
pub(crate) mod learner;
pub(crate) mod loss;
pub(crate) mod network;
pub(crate) mod product;
pub(crate) mod recipe;
pub(crate) mod standard;
pub(crate) mod train;
