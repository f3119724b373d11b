//! Launching kernels, with checks of the tensors that they read and write.

#![expect(unsafe_code, reason = "a kernel's arguments are beyond what the compiler can check")]

use candle_core::backend::BackendDevice as _;
use candle_core::cuda_backend::cudarc::driver::{
    CudaSlice, DevicePtr as _, LaunchConfig, PushKernelArg as _,
};
use candle_core::cuda_backend::{CudaStorageSlice, WrapErr as _};
use candle_core::op::BackpropOp;
use candle_core::{CudaDevice, CudaStorage, DType, Result, Shape, Storage, Tensor, bail};

/// Kernels that are compiled and loaded together.
pub(super) struct Module {
    name: &'static str,
    ptx: &'static str,
}

macro_rules! module {
    ($name:literal) => {
        Module {
            name: concat!("vnp-", $name),
            ptx: include_str!(concat!(env!("OUT_DIR"), "/", $name, ".ptx")),
        }
    };
}

pub(super) const NORM: Module = module!("norm");
pub(super) const ELEMENTWISE: Module = module!("elementwise");
pub(super) const POOL: Module = module!("pool");
pub(super) const ATTENTION: Module = module!("attention");
pub(super) const ATTENTION_MMA: Module = module!("attention_mma");

/// One argument of a kernel.
pub(super) enum Argument {
    /// An address on the device; 0 for an argument that is not given.
    Pointer(u64),
    U32(u32),
    F32(f32),
}

/// The launch configuration of a kernel.
pub(super) struct Grid {
    /// Blocks in three directions; the kernel is not launched if one of them is 0.
    pub(super) blocks: [usize; 3],
    pub(super) threads: usize,
    /// Dynamic shared memory of a block.
    pub(super) shared_bytes: usize,
}

/// Starts a kernel on the device's stream, without waiting for it. The arguments have to be of the
/// types and sizes that the kernel declares.
pub(super) fn launch(
    device: &CudaDevice,
    module: &Module,
    name: &str,
    grid: &Grid,
    arguments: &[Argument],
) -> Result<()> {
    if grid.blocks.contains(&0) {
        return Ok(());
    }
    let [x, y, z] = grid.blocks;
    let config = LaunchConfig {
        grid_dim: (x.try_into()?, y.try_into()?, z.try_into()?),
        block_dim: (grid.threads.try_into()?, 1, 1),
        shared_mem_bytes: grid.shared_bytes.try_into()?,
    };
    let function = device.get_or_load_custom_func(name, module.name, module.ptx)?;
    let mut builder = function.builder();
    for argument in arguments {
        match argument {
            Argument::Pointer(address) => builder.arg(address),
            Argument::U32(number) => builder.arg(number),
            Argument::F32(number) => builder.arg(number),
        };
    }
    // SAFETY: the callers, all in `ops`, pass each kernel the arguments that it declares, with
    // pointers that `pointer` and `indices` have checked for type and number of elements. Memory
    // that a tensor gives back meanwhile is given back in the order of the same stream.
    unsafe { builder.launch(config) }.w()?;
    Ok(())
}

/// A tensor whose elements are still to be written.
pub(super) fn empty(shape: impl Into<Shape>, dtype: DType, device: &CudaDevice) -> Result<Tensor> {
    let shape = shape.into();
    // SAFETY: every caller has a kernel write each element before anything on the stream reads it.
    let storage = unsafe { device.alloc_uninit(&shape, dtype)? };
    Ok(Tensor::from_storage(Storage::Cuda(storage), shape, BackpropOp::none(), false))
}

/// The address of a contiguous tensor of this type and number of elements, aligned for vectors.
pub(super) fn pointer(tensor: &Tensor, dtype: DType, elements: usize) -> Result<Argument> {
    let address = address(tensor, dtype, elements)?;
    if !address.is_multiple_of(16) {
        bail!("a kernel met a tensor that is not aligned");
    }
    Ok(Argument::Pointer(address))
}

/// The same of whole numbers, which kernels read one at a time.
pub(super) fn indices(tensor: &Tensor, elements: usize) -> Result<Argument> {
    Ok(Argument::Pointer(address(tensor, DType::U32, elements)?))
}

fn address(tensor: &Tensor, dtype: DType, elements: usize) -> Result<u64> {
    if tensor.dtype() != dtype || tensor.elem_count() != elements {
        bail!(
            "a kernel met {:?} of {:?}, not {elements} of {dtype:?}",
            tensor.shape(),
            tensor.dtype()
        );
    }
    let (storage, layout) = tensor.storage_and_layout();
    let Storage::Cuda(CudaStorage { slice, .. }) = &*storage else {
        bail!("a CUDA kernel met a tensor of another device");
    };
    let Some((start, _)) = layout.contiguous_offsets() else {
        bail!("a CUDA kernel met a strided tensor");
    };
    let base = match slice {
        CudaStorageSlice::U32(slice) => base(slice),
        CudaStorageSlice::F32(slice) => base(slice),
        CudaStorageSlice::F16(slice) => base(slice),
        CudaStorageSlice::BF16(slice) => base(slice),
        _ => bail!("a CUDA kernel met a tensor of {dtype:?}"),
    };
    Ok(base + u64::try_from(start * dtype.size_in_bytes())?)
}

fn base<T>(slice: &CudaSlice<T>) -> u64 {
    slice.device_ptr(slice.stream()).0
}
