//! Kernels in AVX-512 and AMX.
//!
//! Each function here is compiled for instructions that the CPU may not have: it is called only
//! for a [`Level`] that [`detect`] found.

pub(crate) mod amx;
pub(crate) mod attend;
pub(crate) mod bf16;
pub(crate) mod detect;
pub(crate) mod finish;
pub(crate) mod fixed;
pub(crate) mod fma;
pub(crate) mod lanes;
pub(crate) mod multiply;
pub(crate) mod norm;
pub(crate) mod panels;
pub(crate) mod strided;
pub(crate) mod tile;
pub(crate) mod transpose;

use crate::Precision;
use crate::cpu::Level;
use amx::Kernel as _;
use multiply::Packed;
use panels::Panels;

/// Room for packed weights, where a level has kernels of this module.
pub(crate) fn packed(
    level: Level,
    precision: Precision,
    panels: usize,
    inputs: usize,
) -> Option<Box<dyn Packed>> {
    // Where few products use the digits of a row, finding them costs more than they save.
    let few = inputs <= amx::AmxF32::STEP || panels == 1;
    Some(match (level, precision) {
        (Level::Amx, Precision::F32) if few => Box::new(Panels::<fma::Fma>::new(panels, inputs)),
        (Level::Amx, Precision::F32) => Box::new(amx::Panels::<amx::AmxF32>::new(panels, inputs)),
        (Level::Amx, Precision::Bf16) => Box::new(amx::Panels::<amx::AmxBf16>::new(panels, inputs)),
        (Level::Avx512Bf16, Precision::Bf16) => Box::new(Panels::<bf16::Bf16>::new(panels, inputs)),
        (Level::Avx512Vnni, Precision::Bf16) => {
            Box::new(Panels::<fixed::Fixed>::new(panels, inputs))
        }
        (Level::Avx512Bf16 | Level::Avx512Vnni | Level::Avx512, _) => {
            Box::new(Panels::<fma::Fma>::new(panels, inputs))
        }
        (Level::Portable, _) => return None,
    })
}
