//! Stands in for kernels on architectures that have none: everything is portable.

use crate::attention::heads::{Attention, AttentionScratch};
use crate::cpu::Precision;
use crate::epilogue::LayerKind;
use crate::level::Level;
use crate::packed::PackedWeights;

pub(crate) fn levels() -> Vec<Level> {
    Vec::new()
}

pub(crate) fn portable_name() -> &'static str {
    std::env::consts::ARCH
}

pub(crate) fn weights(
    _: Level,
    _: Precision,
    _: LayerKind,
    _: usize,
    _: usize,
) -> Option<Box<dyn PackedWeights>> {
    None
}

pub(crate) fn attend(
    _: &Attention,
    _: &[f32],
    _: &mut [f32],
    _: &mut AttentionScratch,
    _: &dyn Fn() -> bool,
) -> bool {
    false
}

pub(crate) fn layer_norm(_: Level, _: &[f32], _: &mut [f32], _: &[f32], _: &[f32], _: f32) -> bool {
    false
}
