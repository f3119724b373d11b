//! From letters to token ids.

pub(crate) mod dnabert;
pub(crate) mod esm2;
