//! Rotary position embedding, half-split form, on a device.

use candle_core::{D, Device, Result, Tensor, bail};

use super::pack::Tokens;

/// The cosines and sines of every position and frequency, on a device.
#[derive(Debug, Clone)]
pub(crate) struct Rotary {
    /// `[positions, head size / 2]`, f32
    pub(crate) cosines: Tensor,
    /// `[positions, head size / 2]`, f32
    pub(crate) sines: Tensor,
}

impl Rotary {
    /// Tables for `positions` tokens from the checkpoint's inverse frequencies.
    pub(crate) fn new(
        inverse_frequencies: &[f32],
        positions: usize,
        device: &Device,
    ) -> Result<Self> {
        let angles = (0..positions)
            .flat_map(|position| inverse_frequencies.iter().map(move |f| position as f32 * f));
        let (cosines, sines): (Vec<f32>, Vec<f32>) =
            angles.map(|angle| (angle.cos(), angle.sin())).unzip();
        let shape = (positions, inverse_frequencies.len());
        Ok(Self {
            cosines: Tensor::from_vec(cosines, shape, device)?,
            sines: Tensor::from_vec(sines, shape, device)?,
        })
    }

    /// Fails if a sequence is longer than the tables: a kernel would read beyond them.
    pub(crate) fn check(&self, tokens: &Tokens) -> Result<()> {
        let positions = self.cosines.dim(0)?;
        let longest = tokens.pack.lengths.iter().max().copied().unwrap_or(0);
        if longest > positions {
            bail!("{longest} tokens, but the rotary tables reach {positions}");
        }
        Ok(())
    }

    /// Rotates `[tokens, heads, head size]`, f32, with candle's operations.
    pub(crate) fn apply(&self, x: &Tensor, tokens: &Tokens) -> Result<Tensor> {
        self.check(tokens)?;
        let half = self.cosines.dim(1)?;
        let of = |table: &Tensor| table.index_select(&tokens.positions, 0)?.unsqueeze(1);
        let (cosines, sines) = (of(&self.cosines)?, of(&self.sines)?);
        let (low, high) = (x.narrow(D::Minus1, 0, half)?, x.narrow(D::Minus1, half, half)?);
        let rotated = [
            (low.broadcast_mul(&cosines)? - high.broadcast_mul(&sines)?)?,
            (high.broadcast_mul(&cosines)? + low.broadcast_mul(&sines)?)?,
        ];
        Tensor::cat(&rotated, D::Minus1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::candle::pack::Pack;

    fn tokens(lengths: &[usize]) -> Tokens {
        let ids = [0; 9];
        let pack = Pack::new(lengths.iter().map(|length| &ids[..*length]));
        pack.upload(&Device::Cpu, |length| 0..length).unwrap()
    }

    #[test]
    fn beyond_the_tables_is_an_error() {
        let rotary = Rotary::new(&[1.0], 2, &Device::Cpu).unwrap();
        assert!(rotary.check(&tokens(&[2, 2])).is_ok());
        assert!(rotary.check(&tokens(&[1, 3])).is_err());
    }

    /// Quarter turns by position, starting again with every sequence.
    #[test]
    fn heads_turn_by_their_position() {
        let rotary = Rotary::new(&[std::f32::consts::FRAC_PI_2], 9, &Device::Cpu).unwrap();
        let x = Tensor::new(&[[[1_f32, 2.]], [[1., 2.]], [[1., 2.]], [[1., 2.]]], &Device::Cpu);
        let found = rotary.apply(&x.unwrap(), &tokens(&[3, 1])).unwrap();
        let expected = [[1., 2.], [-2., 1.], [-1., -2.], [1., 2.]];
        let found: Vec<f32> = found.flatten_all().unwrap().to_vec1().unwrap();
        for (found, expected) in found.iter().zip(expected.as_flattened()) {
            assert!((found - expected).abs() < 1e-6, "{found} {expected}");
        }
    }
}
