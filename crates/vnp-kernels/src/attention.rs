//! Multi-head self-attention of one sequence.

mod alibi;
mod rotary;

use crate::buffer::Buffer;
use crate::cpu::Level;
use crate::error::check;
use crate::{Cpu, Error, portable};

pub use alibi::alibi_slopes;
pub use rotary::Rotary;

/// How attention knows where a token stands.
#[derive(Debug, Clone)]
pub enum Position {
    /// Queries and keys are rotated by their position (ESM-2).
    Rotary(Rotary),
    /// `slope * |query - key|` is taken off a score; a slope a head (MosaicBERT).
    Alibi(Vec<f32>),
}

/// Attention: `softmax(q k^T / sqrt(size)) v` of every head.
#[derive(Debug, Clone)]
pub struct Attention {
    /// The instructions.
    pub cpu: Cpu,
    /// Heads.
    pub heads: usize,
    /// Values in a head.
    pub size: usize,
    /// How positions count.
    pub position: Position,
}

/// Buffers that the attention of all layers shares; a thread needs one.
#[derive(Debug, Default)]
pub struct AttentionScratch {
    pub(crate) keys: Buffer<f32>,
    pub(crate) values: Buffer<f32>,
    pub(crate) queries: Buffer<f32>,
    pub(crate) rotated: Buffer<f32>,
    pub(crate) scores: Buffer<f32>,
    pub(crate) weights: Buffer<f32>,
}

impl Attention {
    /// The attention of one sequence: `qkv` is `[length, 3 * heads * size]` with rows `q | k | v`,
    /// each head by head; `output` is `[length, heads * size]`.
    ///
    /// # Errors
    /// [`Error::Length`] for slices that do not fit, and a sequence beyond the rotary tables.
    pub fn attend(
        &self,
        qkv: &[f32],
        output: &mut [f32],
        scratch: &mut AttentionScratch,
    ) -> Result<(), Error> {
        let hidden = self.heads * self.size;
        if hidden == 0 {
            return Err(Error::Shape { outputs: self.heads, inputs: self.size });
        }
        check("a row of queries, keys and values", qkv.len() % (3 * hidden), 0)?;
        check("the output of attention", output.len(), qkv.len() / 3)?;
        if let Position::Rotary(rotary) = &self.position {
            rotary.reaches(qkv.len() / (3 * hidden), self.size)?;
        }
        match self.cpu.level() {
            #[cfg(target_arch = "x86_64")]
            #[allow(unsafe_code, reason = "the level says that the instructions are there")]
            Level::Amx | Level::Avx512Bf16 | Level::Avx512Vnni | Level::Avx512 => {
                // SAFETY: each of these levels has AVX-512.
                unsafe { crate::x86::attend::attend(self, qkv, output, scratch) }
                Ok(())
            }
            Level::Portable => portable::attend::attend(qkv, output, self),
        }
    }

    /// What queries are multiplied by.
    pub(crate) fn scale(&self) -> f32 {
        1.0 / (self.size as f32).sqrt()
    }
}

#[cfg(test)]
mod tests;
