//! Writing: the current version only, and under the final name only whole files.

pub(crate) mod atomic;
pub(crate) mod native;
#[cfg(feature = "safetensors")]
pub(crate) mod safetensors;
#[cfg(any(feature = "torch", feature = "safetensors"))]
pub(crate) mod stream;
pub(crate) mod sweep;
pub(crate) mod temporary;
#[cfg(feature = "torch")]
pub(crate) mod torch;
