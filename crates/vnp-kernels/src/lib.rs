//! What a transformer encoder computes on a CPU, on slices of f32.
//!
//! * [`Linear`]: `x W^T + b` with the weights packed once, in f32 or bf16, and with what follows it
//!   (GELU, a gate, the residual) done while the sums are in cache.
//! * [`attend`](Attention::attend): attention of one sequence, with rotary positions or ALiBi.
//! * [`layer_norm`].
//! * [`gradient`]: what training needs of these, portable.
//!
//! [`Cpu::detect`] finds the instructions at run time; [`Cpu::portable`] needs none in particular.
//! Everything runs on the calling thread. An output row depends on its input rows, the weights
//! and the [`Cpu`], bit for bit, and not on the rows beside it or its place among them; with the
//! portable linear layers that holds for matrices of equal height.
//!
//! ```
//! use vnp_kernels::{Cpu, Form, LinearBuilder, Precision, Scratch, Then};
//!
//! let mut layer = LinearBuilder::new(Cpu::detect(), Precision::F32, Form::Plain, 2, 3)?;
//! layer.rows(0, &[1., 2., 3., 4., 5., 6.])?;
//! layer.bias(0, &[10., 20.])?;
//! let mut y = [0.0; 2];
//! layer.build().forward(&[1., 1., 1.], &mut y, Then::Store, &mut Scratch::default())?;
//! assert_eq!(y, [16., 35.]);
//! # Ok::<(), vnp_kernels::Error>(())
//! ```

mod attention;
mod buffer;
mod cpu;
mod error;
pub mod gradient;
mod linear;
mod norm;
mod portable;
#[cfg(test)]
mod testing;
#[cfg(target_arch = "x86_64")]
mod x86;

pub use attention::{Attention, AttentionScratch, Position, Rotary, alibi_slopes};
pub use buffer::Buffer;
pub use cpu::{Cpu, Precision};
pub use error::Error;
pub use linear::{Form, Linear, LinearBuilder, Scratch, Then};
pub use norm::layer_norm;
