//! Kernels in AVX-512 and AMX.
//!
//! The functions of the modules here are compiled for instructions that the CPU may not have: this file
//! calls them only for a level that [`detect`] found.
#![allow(unsafe_code, reason = "kernels are compiled for instructions that `Cpu` has found")]

mod amx;
mod attend;
mod bf16;
mod detect;
mod epilogue;
mod fixed;
mod fma;
mod lanes;
mod layout;
mod micro;
mod multiply;
mod norm;
mod panels;
mod prefetch;
mod strided;
mod tile;
mod transpose;

use crate::attention::heads::{Attention, AttentionScratch};
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

pub(crate) use detect::{levels, portable_name};

/// Weights of zero for the kernels of a level; `None` if this module has none for it.
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
    // SAFETY: the level was detected, and it has the instructions of its kernel.
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

/// Computes attention as [`Attention::attend`], which has checked the operands, unless the level has no
/// kernel for it; returns whether it did.
pub(crate) fn attend(
    attention: &Attention,
    qkv: &[f32],
    output: &mut [f32],
    scratch: &mut AttentionScratch,
    is_interrupted: &dyn Fn() -> bool,
) -> bool {
    let has_avx512 = attention.cpu.level() != Level::Portable;
    if has_avx512 {
        // SAFETY: every level but the portable one has AVX-512.
        unsafe { attend::attend(attention, qkv, output, scratch, is_interrupted) };
    }
    has_avx512
}

/// Computes a layer norm as [`layer_norm`](crate::norm::layer_norm), which has checked the operands,
/// unless the level has no kernel for it; returns whether it did.
pub(crate) fn layer_norm(
    level: Level,
    input: &[f32],
    output: &mut [f32],
    weight: &[f32],
    bias: &[f32],
    eps: f32,
) -> bool {
    let has_avx512 = level != Level::Portable;
    if has_avx512 {
        // SAFETY: every level but the portable one has AVX-512.
        unsafe { norm::layer_norm(input, output, weight, bias, eps) };
    }
    has_avx512
}
