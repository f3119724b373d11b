//! Layer normalisation.

use crate::cpu::Level;
use crate::error::check;
use crate::portable::rows;
use crate::{Cpu, Error};

/// Normalises each row of `input` to mean 0 and variance 1 (over n), then scales it by `weight` and
/// shifts it by `bias`, into `output`. Rows are as wide as `weight` and `bias`.
///
/// # Errors
/// [`Error::Length`] for slices that do not fit.
pub fn layer_norm(
    cpu: Cpu,
    input: &[f32],
    output: &mut [f32],
    weight: &[f32],
    bias: &[f32],
    eps: f32,
) -> Result<(), Error> {
    check("the bias of a norm", bias.len(), weight.len())?;
    check("the output of a norm", output.len(), input.len())?;
    check("a row of a norm", input.len() % weight.len().max(1), 0)?;
    match cpu.level() {
        #[cfg(target_arch = "x86_64")]
        #[allow(unsafe_code, reason = "the level says that the instructions are there")]
        Level::Amx | Level::Avx512Bf16 | Level::Avx512Vnni | Level::Avx512 => {
            // SAFETY: each of these levels has AVX-512.
            unsafe { crate::x86::norm::layer_norm(input, output, weight, bias, eps) }
        }
        Level::Portable => rows::layer_norm(input, output, weight, bias, eps),
    }
    Ok(())
}
