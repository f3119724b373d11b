//! Layer normalisation.

use crate::cpu::Cpu;
use crate::error::{Error, check};
use crate::portable::rows;

/// Normalises each row of `input` to mean 0 and variance 1 (over n), then scales it by `weight` and
/// shifts it by `bias`, into `output`. Rows are as wide as `weight` and `bias`.
///
/// # Errors
/// [`Error::Length`] for slices of other lengths.
#[cfg_attr(
    not(target_arch = "x86_64"),
    allow(unused_variables, reason = "only x86-64 has kernels of its own")
)]
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
    #[cfg(target_arch = "x86_64")]
    if cpu.level().has_avx512() {
        #[allow(unsafe_code, reason = "the level says that the instructions are there")]
        // SAFETY: as just asked.
        unsafe {
            crate::x86::norm::layer_norm(input, output, weight, bias, eps);
        }
        return Ok(());
    }
    rows::layer_norm(input, output, weight, bias, eps);
    Ok(())
}
