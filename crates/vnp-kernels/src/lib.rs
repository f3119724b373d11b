//! Kernels of transformer encoders for CPUs, on slices of f32.
//!
//! * [`Linear`]: `x W^T + b` with the weights packed once, in f32 or bf16, and with an epilogue
//!   (GELU, a gate, the residual) that runs while the sums are in cache.
//! * [`attend`](Attention::attend): attention of one sequence, with rotary positions or ALiBi.
//! * [`layer_norm`].
//! * [`gradient`]: the gradients of these for training, portable.
//!
//! [`Cpu::detect`] finds the instructions at run time; [`Cpu::portable`] needs none in particular.
//! Everything runs on the calling thread. Bit for bit, an output row depends only on its input rows,
//! the weights and the [`Cpu`], and not on other rows or its index; with the portable linear layers
//! that holds for matrices of equal height.
//!
//! ```
//! use vnp_kernels::{Cpu, Epilogue, LayerKind, LinearBuilder, Precision, Scratch};
//!
//! let mut layer = LinearBuilder::new(Cpu::detect(), Precision::F32, LayerKind::Plain, 2, 3)?;
//! layer.rows(0, &[1., 2., 3., 4., 5., 6.])?;
//! layer.bias(0, &[10., 20.])?;
//! let mut y = [0.0; 2];
//! layer.build().forward(&[1., 1., 1.], &mut y, Epilogue::Store, &mut Scratch::default())?;
//! assert_eq!(y, [16., 35.]);
//! # Ok::<(), vnp_kernels::Error>(())
//! ```

mod attention;
mod buffer;
mod cpu;
mod detect;
mod epilogue;
mod error;
pub mod gradient;
mod level;
mod linear;
mod native;
mod norm;
mod packed;
mod portable;
mod scratch;
#[cfg(test)]
mod testing;
#[cfg(target_arch = "x86_64")]
mod x86;

pub use attention::alibi::alibi_slopes;
pub use attention::heads::{Attention, AttentionScratch, Position};
pub use attention::rotary::Rotary;
pub use buffer::Buffer;
pub use cpu::{Cpu, Precision};
pub use epilogue::{Epilogue, LayerKind};
pub use error::Error;
pub use linear::{Linear, LinearBuilder};
pub use norm::layer_norm;
pub use scratch::Scratch;
