//! Listing and opening GPUs.

#![expect(unsafe_code, reason = "settings of the driver for which candle has no safe call")]

use candle_core::Device;
use candle_core::cuda_backend::WrapErr as _;
use candle_core::cuda_backend::cudarc::driver::CudaContext;
use candle_core::cuda_backend::cudarc::driver::result::{device, mem_pool};
use candle_core::cuda_backend::cudarc::driver::sys::CUmemPool_attribute;

use crate::device::info::DeviceInfo;
use crate::error::Error;

/// The oldest GPUs that the kernels run on, as major and minor compute capability.
const OLDEST: (i32, i32) = (8, 0);

/// The GPUs that this process may see.
pub(crate) fn count() -> usize {
    CudaContext::device_count().ok().and_then(|count| usize::try_from(count).ok()).unwrap_or(0)
}

/// Opens a GPU. All work on the device runs on one stream of its own.
pub(crate) fn open(ordinal: usize) -> Result<Device, Error> {
    open_stream(ordinal).map_err(|source| {
        // Candle adds a backtrace to some of its errors, which does not belong into a message.
        let source = match source {
            candle_core::Error::WithBacktrace { inner, .. } => inner,
            source => Box::new(source),
        };
        Error::Device { ordinal, source }
    })
}

fn open_stream(ordinal: usize) -> candle_core::Result<Device> {
    // Candle's usual stream is another one in every thread, and encoders are used from several.
    let device = Device::new_cuda_with_stream(ordinal)?;
    let cuda = device.as_cuda_device()?;
    let stream = cuda.cuda_stream();
    let context = stream.context();
    let (major, minor) = context.compute_capability().w()?;
    if (major, minor) < OLDEST {
        let (oldest, minor_oldest) = OLDEST;
        candle_core::bail!(
            "its compute capability is {major}.{minor}, and the kernels need {oldest}.{minor_oldest}"
        );
    }
    // SAFETY: events order the streams that share a tensor. Tensors of this device know one stream
    // only: it is the device's own, and `Device` values of other streams refuse them.
    unsafe { cuda.disable_event_tracking() };
    if context.has_async_alloc() {
        keep_memory(context).w()?;
    }
    Ok(device)
}

/// Lets the driver keep memory that was freed instead of unmapping it whenever results are read.
fn keep_memory(
    context: &CudaContext,
) -> Result<(), candle_core::cuda_backend::cudarc::driver::DriverError> {
    let mut threshold_bytes = u64::MAX;
    let threshold: *mut u64 = &raw mut threshold_bytes;
    // SAFETY: the device is the context's; the attribute is a u64, read during the call.
    unsafe {
        let pool = device::get_default_mem_pool(context.cu_device())?;
        let attribute = CUmemPool_attribute::CU_MEMPOOL_ATTR_RELEASE_THRESHOLD;
        mem_pool::set_attribute(pool, attribute, threshold.cast())
    }
}

/// The name of a GPU: `NVIDIA H200`.
pub(crate) fn model(device: &Device) -> Option<String> {
    device.as_cuda_device().ok()?.cuda_stream().context().name().ok()
}

/// Every GPU of this machine, or one entry that says why there is none.
pub(crate) fn list() -> Vec<DeviceInfo> {
    let none = || DeviceInfo {
        name: "cuda".to_owned(),
        description: "no CUDA device or driver found".to_owned(),
        available: false,
    };
    let describe = |ordinal| {
        let context = CudaContext::new(ordinal);
        let found = context.and_then(|context| {
            let gibibytes = context.total_mem()? >> 30;
            Ok((context.name()?, gibibytes, context.compute_capability()?))
        });
        let (description, available) = match found {
            Ok((name, gibibytes, (major, minor))) => (
                format!("{name}, {gibibytes} GiB, compute capability {major}.{minor}"),
                (major, minor) >= OLDEST,
            ),
            Err(reason) => (reason.to_string(), false),
        };
        DeviceInfo { name: format!("cuda:{ordinal}"), description, available }
    };
    let devices: Vec<DeviceInfo> = (0..count()).map(describe).collect();
    if devices.is_empty() { vec![none()] } else { devices }
}
