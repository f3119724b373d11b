//! Writing: the current version only, and under the final name only whole files.

pub(crate) mod atomic;
pub(crate) mod native;
pub(crate) mod sweep;
pub(crate) mod temporary;
