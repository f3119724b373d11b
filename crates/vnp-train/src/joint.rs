//! Both encoders and the head, trained together.
//!
//! For small encoders, from scratch or from those of a bundle: every step draws windows from the
//! training records, as many viral as not, changes them as evolution might, and learns from their
//! ORFs. The networks are those of inference.

pub(crate) mod augment;
pub(crate) mod data;
pub(crate) mod initial;
pub(crate) mod learner;
pub(crate) mod model;
pub(crate) mod recipe;
pub(crate) mod setup;
pub(crate) mod tokenizer;
pub(crate) mod train;
pub(crate) mod verdict;
pub(crate) mod windows;
