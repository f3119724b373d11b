//! Test files put together field by field, so that any one field can lie: ZIP archives, pickles, the
//! files of `torch.save` made of both, and native checkpoints.
//!
//! The fixtures, the tests of `vnp-ckpt` and the fuzz targets use it. It knows nothing of
//! `vnp-ckpt`: a builder that shared code with the reader would share its mistakes.
//!
//! * [`zip`], [`pickle`], [`numpy`], [`native`]: one format each, every field open.
//! * [`torch`]: whole files as PyTorch writes them.
//! * [`items`]: pickled values as bytes, for tests that nest a few of them.
//! * [`hostile_sizes`]: files that ask for far more than their size.
//! * [`bases`], [`mutate`]: good files of every kind, and files made from a string of decisions.

#![allow(missing_docs, reason = "fields and methods are named after what they write")]

pub mod bases;
pub mod hostile_sizes;
pub mod items;
pub mod mutate;
pub mod native;
pub mod numpy;
pub mod pickle;
pub mod torch;
pub mod value;
pub mod zip;
