//! The devices that a network can run on: parsing their names, listing and opening them.

pub(crate) mod info;

use std::fmt;
use std::str::FromStr;

use candle_core::Device;
use vnp_kernels::Cpu;

#[cfg(feature = "cuda")]
use crate::cuda::device as cuda;
use crate::error::Error;
use crate::precision::Precision;
use info::DeviceInfo;

/// The device that a user asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum DeviceSpec {
    /// All CUDA devices where this build and machine have any, otherwise the CPU.
    #[default]
    Auto,
    /// The CPU, with the threads of the current rayon pool.
    Cpu,
    /// All CUDA devices that this process may see.
    AllCuda,
    /// The CUDA device of this number.
    Cuda(usize),
}

/// Every device of this machine that this build can look for. The CPU comes first and is always
/// available; where the build has no CUDA, one unavailable `cuda` entry says so.
pub fn list_devices() -> Vec<DeviceInfo> {
    let cpu = DeviceInfo {
        name: "cpu".to_owned(),
        description: format!("instruction set {}", Cpu::detect().name()),
        available: true,
    };
    let mut devices = vec![cpu];
    devices.extend(cuda::list());
    devices
}

impl DeviceSpec {
    /// Opens every device that this names, at least one, for computing in `precision`.
    pub(crate) fn open_all(self, precision: Precision) -> Result<Vec<Device>, Error> {
        match self {
            Self::Auto => {
                let open = |ordinal| {
                    let device = cuda::open(ordinal);
                    device.inspect_err(|reason| log::warn!("going on without it: {reason}")).ok()
                };
                let devices: Vec<Device> = (0..cuda::count()).filter_map(open).collect();
                if devices.is_empty() { Self::Cpu.open_all(precision) } else { Ok(devices) }
            }
            Self::AllCuda => (0..cuda::count().max(1)).map(cuda::open).collect(),
            Self::Cpu | Self::Cuda(_) => Ok(vec![self.open(precision)?]),
        }
    }

    /// Opens the device, or the first of several.
    pub(crate) fn open(self, precision: Precision) -> Result<Device, Error> {
        match self {
            Self::Auto => match cuda::open(0) {
                Ok(device) => Ok(device),
                Err(reason) => {
                    log::debug!("using the CPU: {reason}");
                    Self::Cpu.open(precision)
                }
            },
            Self::Cpu if precision.on_cpu().is_some_and(|it| Cpu::detect().has(it)) => {
                Ok(Device::Cpu)
            }
            Self::Cpu => Err(Error::Precision { precision, device: "cpu" }),
            Self::AllCuda => cuda::open(0),
            Self::Cuda(ordinal) => cuda::open(ordinal),
        }
    }
}

impl fmt::Display for DeviceSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Auto => f.write_str("auto"),
            Self::Cpu => f.write_str("cpu"),
            Self::AllCuda => f.write_str("cuda"),
            Self::Cuda(ordinal) => write!(f, "cuda:{ordinal}"),
        }
    }
}

impl FromStr for DeviceSpec {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        match text {
            "auto" => Ok(Self::Auto),
            "cpu" => Ok(Self::Cpu),
            "cuda" => Ok(Self::AllCuda),
            _ => text
                .strip_prefix("cuda:")
                .unwrap_or(text)
                .parse()
                .map(Self::Cuda)
                .map_err(|_| Error::UnknownDevice { text: text.to_owned() }),
        }
    }
}

/// The name to record with results: `cpu (avx512)` or `cuda:0 (NVIDIA H200)`. Bits of f32 results
/// may differ between two names, and do not within one `cpu (..)` name on one machine type.
pub(crate) fn device_name(device: &Device) -> String {
    match device.location() {
        candle_core::DeviceLocation::Cpu => format!("cpu ({})", Cpu::detect().name()),
        candle_core::DeviceLocation::Cuda { gpu_id } => match cuda::model(device) {
            Some(model) => format!("cuda:{gpu_id} ({model})"),
            None => format!("cuda:{gpu_id}"),
        },
        candle_core::DeviceLocation::Metal { gpu_id } => format!("metal:{gpu_id}"),
    }
}

/// Stands in for `crate::cuda::device` in builds without CUDA.
#[cfg(not(feature = "cuda"))]
mod cuda {
    use super::{Device, DeviceInfo, Error};

    pub(super) fn count() -> usize {
        0
    }

    pub(super) fn open(ordinal: usize) -> Result<Device, Error> {
        Err(Error::NoCuda { ordinal })
    }

    pub(super) fn model(_device: &Device) -> Option<String> {
        None
    }

    pub(super) fn list() -> Vec<DeviceInfo> {
        vec![DeviceInfo {
            name: "cuda".to_owned(),
            description: "this build has no CUDA".to_owned(),
            available: false,
        }]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: DeviceSpec, shown: &str) {
        let spec: DeviceSpec = text.parse().unwrap();
        assert_eq!(spec, expected);
        assert_eq!(spec.to_string(), shown);
    }

    #[test]
    fn text_names_devices() {
        check("auto", DeviceSpec::Auto, "auto");
        check("cpu", DeviceSpec::Cpu, "cpu");
        check("cuda", DeviceSpec::AllCuda, "cuda");
        check("cuda:3", DeviceSpec::Cuda(3), "cuda:3");
        check("1", DeviceSpec::Cuda(1), "cuda:1");
    }

    #[test]
    fn other_text_is_refused() {
        for bad in ["", "gpu", "cuda:", "cuda:x", "-1"] {
            let Err(Error::UnknownDevice { text }) = bad.parse::<DeviceSpec>() else {
                panic!("{bad} was accepted")
            };
            assert_eq!(text, bad);
        }
    }

    #[test]
    fn half_precision_on_cpu_is_refused() {
        let Err(Error::Precision { precision, device }) = DeviceSpec::Cpu.open(Precision::F16)
        else {
            panic!()
        };
        assert_eq!((precision, device), (Precision::F16, "cpu"));
        let has_bf16 = Cpu::detect().has(vnp_kernels::Precision::Bf16);
        assert_eq!(DeviceSpec::Cpu.open(Precision::Bf16).is_ok(), has_bf16);
    }

    #[cfg(not(feature = "cuda"))]
    #[test]
    fn cuda_without_the_feature_is_refused() {
        let refused = |spec: DeviceSpec| {
            let Err(Error::NoCuda { ordinal }) = spec.open_all(Precision::F32) else { panic!() };
            ordinal
        };
        assert_eq!(refused(DeviceSpec::Cuda(2)), 2);
        assert_eq!(refused(DeviceSpec::AllCuda), 0);
        let devices = DeviceSpec::Auto.open_all(Precision::F32).unwrap();
        assert!(matches!(devices.as_slice(), [Device::Cpu]));
        assert!(DeviceSpec::Auto.open(Precision::F32).unwrap().is_cpu());
        assert_eq!(list_devices().len(), 2);
    }
}
