//! The layers that both encoders are built from.
//!
//! Each takes and returns tensors of `[batch, length, ..]`, and computes with the kernels of its
//! [`Pass`]: this crate's own on CPU, candle's elsewhere.

pub(crate) mod alibi;
pub(crate) mod attention;
pub(crate) mod feed_forward;
pub(crate) mod linear;
pub(crate) mod norm;
pub(crate) mod rotary;

use candle_core::Tensor;

use crate::kernel::Kernels;

/// What the layers of one forward pass share.
#[derive(Debug, Clone)]
pub(crate) struct Pass {
    /// The code that computes.
    pub(crate) kernels: Kernels,
    /// What is added to attention scores, to be broadcast to `[batch, heads, length, length]`:
    /// the mask of padding and the distance penalty. Candle's kernels only.
    pub(crate) score_bias: Option<Tensor>,
}
