//! The layers that both encoders are built from.
//!
//! A layer works on packed tokens, `[tokens, ..]`: sequences below each other, without padding.
//! Matrix products are candle's; what comes between them is computed by [`ops::Ops`], one
//! implementation of candle's plain operations, which runs anywhere and is the reference in tests,
//! one of fused kernels on CUDA, and one that can be differentiated, for training.
//!
//! Products and attention have the network's number format. The vectors that run from layer to
//! layer, biases, norms and means are f32 in any case.

pub(crate) mod alibi;
pub(crate) mod attention;
pub(crate) mod differentiable;
pub(crate) mod feed_forward;
pub(crate) mod linear;
pub(crate) mod norm;
pub(crate) mod ops;
pub(crate) mod plain;
pub(crate) mod rotary;
