//! The parameters of attention: heads and positions; and its scratch buffers.

use super::rotary::Rotary;
use crate::buffer::Buffer;
use crate::cpu::Cpu;

/// How attention uses the positions of tokens.
#[derive(Debug, Clone)]
pub enum Position {
    /// Queries and keys are rotated by their position (ESM-2).
    Rotary(Rotary),
    /// `slope * |query - key|` is subtracted from a score; one slope per head (MosaicBERT).
    Alibi(Vec<f32>),
}

/// Attention: `softmax(q k^T / sqrt(size)) v` of every head.
#[derive(Debug, Clone)]
pub struct Attention {
    /// The instructions to use.
    pub cpu: Cpu,
    /// The number of heads.
    pub heads: usize,
    /// The number of values in a head.
    pub size: usize,
    /// How positions are used.
    pub position: Position,
}

/// Buffers that the attention of all layers shares; one per thread.
#[derive(Debug, Default)]
#[cfg_attr(not(target_arch = "x86_64"), allow(dead_code, reason = "buffers of x86-64's kernels"))]
pub struct AttentionScratch {
    pub(crate) keys: Buffer<f32>,
    pub(crate) values: Buffer<f32>,
    pub(crate) queries: Buffer<f32>,
    pub(crate) rotated: Buffer<f32>,
    pub(crate) scores: Buffer<f32>,
    pub(crate) weights: Buffer<f32>,
}

impl Attention {
    /// The factor of queries.
    pub(crate) fn scale(&self) -> f32 {
        1.0 / (self.size as f32).sqrt()
    }
}
