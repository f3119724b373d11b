//! NVIDIA GPUs: opening them, and fused kernels for what happens between matrix products.
//!
//! The kernels are the `.cu` files beside this one's folder, compiled to PTX when the crate is
//! built and loaded by the driver when first used. Matrix products are cuBLAS's, through candle.
//! Everything runs on one stream a device, in the order in which it was asked for, and nothing
//! waits for it but the reading of embeddings. `docs/CUDA.md` has the whole picture.

pub(crate) mod device;
mod launch;
pub(crate) mod ops;
#[cfg(test)]
mod tests;
