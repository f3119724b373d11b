//! Layer normalisation.

use crate::cpu::Cpu;
use crate::error::{Error, check};
use crate::native;
use crate::portable::rows;

/// Normalises each row of `input` to mean 0 and variance 1 (over n), then scales it by `weight` and
/// shifts it by `bias`, into `output`. Rows are as wide as `weight` and `bias`.
///
/// # Errors
/// [`Error::Length`] for slices of other lengths.
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
    if !native::layer_norm(cpu.level(), input, output, weight, bias, eps) {
        rows::layer_norm(input, output, weight, bias, eps);
    }
    Ok(())
}
