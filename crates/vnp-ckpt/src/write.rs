//! Writing: the current version only, and under the final name only whole files.

pub(crate) mod atomic;
mod flush;
mod native;
mod plan;

pub(crate) mod sweep;
mod temporary;
pub(crate) mod writer;
