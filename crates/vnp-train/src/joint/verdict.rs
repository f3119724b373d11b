//! The loss of a joint training: that of chunks and that of their ORFs.

use candle_core::{D, Device, Tensor};

use crate::error::Error;

/// The sharpness with which an ORF of a large margin dominates its chunk: the weight of an ORF with margin m
/// is exp(2 |m|), a smooth form of "the ORF with the largest margin decides for its chunk".
const DECISION: f64 = 2.0;
/// Margins are clamped to this, so that the weights stay finite.
const LARGEST: f64 = 10.0;

/// The ORFs of several chunks.
pub(super) struct Verdicts<'a> {
    /// The chunk of each ORF, in order.
    pub(super) chunk_of: &'a [usize],
    /// Whether each chunk is viral.
    pub(super) is_virus: &'a [bool],
    /// The weight of chunks in the loss.
    pub(super) share: f64,
    pub(super) smoothing: f64,
}

impl Verdicts<'_> {
    /// The mean loss of chunks for the logits `[ORFs, 2]` (others, virus).
    pub(super) fn loss(&self, logits: &Tensor) -> Result<Tensor, Error> {
        let device = logits.device();
        let margins = (logits.narrow(D::Minus1, 1, 1)? - logits.narrow(D::Minus1, 0, 1)?)?;
        let margins = margins.squeeze(1)?;
        let chunks = self.is_virus.len();
        let index = |chunk: &usize| u32::try_from(*chunk).unwrap_or(u32::MAX);
        let chunk_of: Vec<u32> = self.chunk_of.iter().map(index).collect();
        let chunk_of = Tensor::from_vec(chunk_of, self.chunk_of.len(), device)?;
        let by_chunk = |values: &Tensor| {
            let zeros = Tensor::zeros(chunks, values.dtype(), device)?;
            zeros.index_add(&chunk_of, values, 0)
        };
        let weights = (margins.abs()?.minimum(LARGEST)? * DECISION)?.exp()?;
        let verdicts = (by_chunk(&(&weights * &margins)?)? / by_chunk(&weights)?)?;
        let of_chunks = (self.cross_entropy(&verdicts, self.is_virus)?.sum_all()? / chunks as f64)?;

        let labels: Vec<bool> =
            self.chunk_of.iter().filter_map(|chunk| self.is_virus.get(*chunk).copied()).collect();
        let alone = self.cross_entropy(&margins, &labels)?;
        let of_frames = ((alone * self.equal_shares(device)?)?.sum_all()? / chunks as f64)?;
        Ok(((of_chunks * self.share)? + (of_frames * (1.0 - self.share))?)?)
    }

    /// For each ORF, one over the number of ORFs of its chunk.
    fn equal_shares(&self, device: &Device) -> Result<Tensor, Error> {
        let runs = self.chunk_of.chunk_by(|a, b| a == b);
        let share = |run: &[usize]| vec![1.0 / run.len() as f32; run.len()];
        let shares: Vec<f32> = runs.flat_map(share).collect();
        Ok(Tensor::from_vec(shares, self.chunk_of.len(), device)?)
    }

    /// `softplus(margin) - target * margin` of each margin.
    fn cross_entropy(&self, margins: &Tensor, is_virus: &[bool]) -> Result<Tensor, Error> {
        let (high, low) = (1.0 - self.smoothing / 2.0, self.smoothing / 2.0);
        let target = |virus: &bool| (if *virus { high } else { low }) as f32;
        let targets: Vec<f32> = is_virus.iter().map(target).collect();
        let targets = Tensor::from_vec(targets, is_virus.len(), margins.device())?;
        let softplus = (margins.relu()? + (margins.abs()?.neg()?.exp()? + 1.0)?.log()?)?;
        Ok((softplus - (targets * margins)?)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn loss(share: f64, margins: &[f32]) -> f64 {
        let logits: Vec<f32> = margins.iter().flat_map(|margin| [1.0, 1.0 + margin]).collect();
        let logits = Tensor::from_vec(logits, (margins.len(), 2), &Device::Cpu).unwrap();
        let verdicts =
            Verdicts { chunk_of: &[0, 0, 1], is_virus: &[true, false], share, smoothing: 0.0 };
        f64::from(verdicts.loss(&logits).unwrap().to_scalar::<f32>().unwrap())
    }

    /// `-ln(sigmoid(x))`
    fn wrong(x: f64) -> f64 {
        (-x).exp().ln_1p()
    }

    fn check(found: f64, expected: f64) {
        assert!((found - expected).abs() < 1e-5, "{found} {expected}");
    }

    #[test]
    fn the_decided_frame_speaks_for_its_chunk() {
        // exp(8) to exp(0): the first frame of chunk 0 has nearly all the weight.
        let weight = 1.0 / (1.0 + (-8.0f64).exp());
        check(loss(1.0, &[4.0, 0.0, -1.0]), (wrong(4.0 * weight) + wrong(1.0)) / 2.0);
        check(loss(1.0, &[-4.0, 0.0, -1.0]), (wrong(-4.0 * weight) + wrong(1.0)) / 2.0);
    }

    #[test]
    fn frames_of_a_chunk_share_its_weight() {
        check(loss(0.0, &[4.0, 0.0, -1.0]), ((wrong(4.0) + wrong(0.0)) / 2.0 + wrong(1.0)) / 2.0);
    }

    #[test]
    fn large_margins_stay_finite() {
        check(loss(0.5, &[1e4, 1e4, -1e4]), 0.0);
        check(loss(0.5, &[-1e4, -1e4, -1e4]), 5e3);
    }
}
