//! NVIDIA GPUs: opening them, and fused kernels for the steps between matrix products.
//!
//! The kernels are the `.cu` files in the folder of this module, compiled to PTX when the crate is
//! built and loaded by the driver when first used. Matrix products are cuBLAS's, through candle.
//! Everything runs on one stream per device, in the order of the calls; only the reading of
//! embeddings waits for it. `docs/CUDA.md` has the details.

pub(crate) mod device;
mod launch;
pub(crate) mod ops;
#[cfg(test)]
mod tests;
