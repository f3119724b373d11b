//! Losses of the head.

use candle_core::Tensor;

use crate::error::Error;
use crate::head::network::CLASSES;

/// The mean cross-entropy of logits `[rows, 2]` against labels; `smoothing` of each label is shared
/// by both classes.
pub(crate) fn cross_entropy(
    logits: &Tensor,
    is_virus: &[bool],
    smoothing: f64,
) -> Result<Tensor, Error> {
    let (high, low) = ((1.0 - smoothing / 2.0) as f32, (smoothing / 2.0) as f32);
    let target = |virus: &bool| if *virus { [low, high] } else { [high, low] };
    let targets: Vec<f32> = is_virus.iter().flat_map(target).collect();
    let targets = Tensor::from_vec(targets, (is_virus.len(), CLASSES), logits.device())?;
    let likelihood = (candle_nn::ops::log_softmax(logits, 1)? * targets)?.sum_all()?;
    Ok((likelihood / -(is_virus.len().max(1) as f64))?)
}

/// `ln(1 + exp(x))`, the cross-entropy of a label whose logit leads by `-x`.
pub(crate) fn softplus(x: f64) -> f64 {
    x.max(0.0) + (-x.abs()).exp().ln_1p()
}
