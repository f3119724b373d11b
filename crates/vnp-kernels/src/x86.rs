//! Kernels in AVX-512 and AMX.
//!
//! Each function here is compiled for instructions that the CPU may not have: it is called only
//! for a level that [`detect`] found.

pub(crate) mod amx;
pub(crate) mod attend;
pub(crate) mod bf16;
pub(crate) mod detect;
pub(crate) mod epilogue;
pub(crate) mod fixed;
pub(crate) mod fma;
pub(crate) mod lanes;
pub(crate) mod layout;
pub(crate) mod micro;
pub(crate) mod multiply;
pub(crate) mod norm;
pub(crate) mod panels;
pub(crate) mod prefetch;
pub(crate) mod strided;
pub(crate) mod tile;
pub(crate) mod transpose;

use crate::cpu::Precision;
use crate::epilogue::LayerKind;
use crate::level::Level;
use crate::packed::PackedWeights;
use amx::bf16::AmxBf16;
use amx::digits::AmxF32;
use amx::kernel::Kernel as _;
use bf16::Bf16;
use fixed::Fixed;
use fma::Fma;
use layout::PanelLayout;
use panels::Panels;

/// Weights of zero for the kernels of a level; `None` if this module has none for it.
#[allow(unsafe_code, reason = "kernels are compiled for instructions that `Cpu` has found")]
pub(crate) fn weights(
    level: Level,
    precision: Precision,
    kind: LayerKind,
    outputs: usize,
    inputs: usize,
) -> Option<Box<dyn PackedWeights>> {
    let layout = PanelLayout::new(kind, outputs);
    // In a small layer, too few products use the digits of a row for what it costs to find them.
    let is_small = inputs <= AmxF32::STEP || layout.panels == 1;
    // SAFETY: the level was detected, and it has the instructions of the kernel beside it.
    unsafe {
        Some(match (level, precision) {
            (Level::Amx, Precision::F32) if is_small => {
                Box::new(Panels::<Fma>::new(layout, inputs))
            }
            (Level::Amx, Precision::F32) => {
                Box::new(amx::panels::Panels::<AmxF32>::new(layout, inputs))
            }
            (Level::Amx, Precision::Bf16) => {
                Box::new(amx::panels::Panels::<AmxBf16>::new(layout, inputs))
            }
            (Level::Avx512Bf16, Precision::Bf16) => Box::new(Panels::<Bf16>::new(layout, inputs)),
            (Level::Avx512Vnni, Precision::Bf16) => Box::new(Panels::<Fixed>::new(layout, inputs)),
            (Level::Avx512Bf16 | Level::Avx512Vnni | Level::Avx512, _) => {
                Box::new(Panels::<Fma>::new(layout, inputs))
            }
            (Level::Portable, _) => return None,
        })
    }
}
