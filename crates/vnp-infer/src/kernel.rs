//! Single-threaded f32 kernels for the CPU.
//!
//! On CPU one sequence is one task of the current rayon pool, so a kernel must neither start
//! threads nor depend on how many there are. Candle's own CPU matrix product does both: it reads
//! `RAYON_NUM_THREADS` and hands its work to the pool a second time. These kernels run on the
//! calling thread, are vectorised for the instruction set found at run time, and add in a fixed
//! order, so that a result depends on the operands alone.

pub(crate) mod attend;
pub(crate) mod elementwise;
pub(crate) mod matmul;
pub(crate) mod rows;

use candle_core::{Device, Result, Shape, Storage, Tensor, bail};

/// Which code computes a layer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kernels {
    /// The kernels of this module: CPU, f32, no padding.
    Own,
    /// Candle's operations: any device and precision, with padding and mask.
    Candle,
}

impl Kernels {
    /// The kernels for networks on `device`.
    pub(crate) fn for_device(device: &Device) -> Self {
        if device.is_cpu() { Self::Own } else { Self::Candle }
    }
}

/// Makes a CPU tensor of `shape`, filled by `fill` from the elements of contiguous f32 CPU tensors.
pub(crate) fn compute<const N: usize>(
    inputs: [&Tensor; N],
    shape: impl Into<Shape>,
    fill: impl FnOnce([&[f32]; N], &mut [f32]) -> Result<()>,
) -> Result<Tensor> {
    let shape = shape.into();
    let mut output = vec![0.0; shape.elem_count()];
    let held = inputs.map(Tensor::storage_and_layout);
    let mut slices: [&[f32]; N] = [&[]; N];
    for (slice, (storage, layout)) in slices.iter_mut().zip(&held) {
        let Storage::Cpu(storage) = &**storage else { bail!("a CPU kernel met a device tensor") };
        let Some((start, end)) = layout.contiguous_offsets() else {
            bail!("a CPU kernel met a strided tensor")
        };
        let Some(elements) = storage.as_slice::<f32>()?.get(start..end) else {
            bail!("a tensor's layout reaches beyond its storage")
        };
        *slice = elements;
    }
    fill(slices, &mut output)?;
    Tensor::from_vec(output, shape, &Device::Cpu)
}
