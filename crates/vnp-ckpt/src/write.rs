//! Writing: the current version only, and under the final name only whole files.

pub(crate) mod atomic;
pub(crate) mod directory;
mod flush;
pub(crate) mod format;
mod native;
mod plan;
mod read_back;
#[cfg(feature = "safetensors")]
pub(crate) mod safetensors;
#[cfg(any(feature = "torch", feature = "safetensors"))]
mod stream;
pub(crate) mod sweep;
mod temporary;
#[cfg(feature = "torch")]
pub(crate) mod torch;
pub(crate) mod writer;
