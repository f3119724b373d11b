//! Rotary position embedding, half-split form.

use candle_core::{DType, Device, Result, Tensor, bail};
use half::f16;

/// The cosines and sines of every position and frequency.
#[derive(Debug, Clone)]
pub(crate) struct Rotary {
    /// Tokens that the tables reach.
    positions: usize,
    /// Half the head size.
    frequencies: usize,
    /// `[positions, frequencies]`
    cosines: Vec<f32>,
    /// `[positions, frequencies]`
    sines: Vec<f32>,
    /// Both tables on the network's device.
    tables: (Tensor, Tensor),
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
        let frequencies = inverse_frequencies.len();
        let shape = (positions, frequencies);
        let tables = (
            Tensor::from_slice(&cosines, shape, device)?,
            Tensor::from_slice(&sines, shape, device)?,
        );
        Ok(Self { positions, frequencies, cosines, sines, tables })
    }

    /// Writes one head of `input` to `output` (`[length, head size]`), scaled, then rotated. The
    /// head's columns start at `offset` of every row of `stride`.
    pub(crate) fn rotate(
        &self,
        output: &mut [f32],
        input: &[f32],
        offset: usize,
        stride: usize,
        scale: f32,
    ) -> Result<()> {
        let half = self.frequencies;
        self.reaches(output.len() / (2 * half).max(1))?;
        let rows = output.chunks_exact_mut(2 * half).zip(input.chunks_exact(stride));
        let tables = self.cosines.chunks_exact(half).zip(self.sines.chunks_exact(half));
        for ((output, row), (cosines, sines)) in rows.zip(tables) {
            let (low, high) = row.get(offset..).unwrap_or_default().split_at(half);
            let (low_output, high_output) = output.split_at_mut(half);
            let low_output = low_output.iter_mut().zip(high_output);
            let inputs = low.iter().zip(high);
            let angles = cosines.iter().zip(sines);
            for (((low_output, high_output), (low, high)), (cos, sin)) in
                low_output.zip(inputs).zip(angles)
            {
                let (low, high) = (low * scale, high * scale);
                *low_output = low * cos - high * sin;
                *high_output = high * cos + low * sin;
            }
        }
        Ok(())
    }

    /// Rotates `[batch, heads, length, head size]` with candle's operation, in f32.
    pub(crate) fn apply(&self, x: &Tensor) -> Result<Tensor> {
        let length = x.dim(2)?;
        self.reaches(length)?;
        let (cosines, sines) = &self.tables;
        let (cosines, sines) = (cosines.narrow(0, 0, length)?, sines.narrow(0, 0, length)?);
        let rotated =
            candle_nn::rotary_emb::rope(&x.to_dtype(DType::F32)?.contiguous()?, &cosines, &sines)?;
        rotated.to_dtype(x.dtype())
    }

    fn reaches(&self, length: usize) -> Result<()> {
        if length > self.positions {
            bail!("{length} tokens, but the rotary tables reach {}", self.positions);
        }
        Ok(())
    }
}

/// The frequencies of a checkpoint that stores none: `10000^(-2i / head size)`, rounded through
/// half precision as in every released checkpoint, which both reference libraries load.
pub(crate) fn default_inverse_frequencies(head_size: usize) -> Vec<f32> {
    (0..head_size / 2)
        .map(|i| {
            let exponent = (2 * i) as f32 / head_size as f32;
            f16::from_f32(1.0 / 10_000_f32.powf(exponent)).to_f32()
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frequencies_are_rounded_through_half_precision() {
        let found = default_inverse_frequencies(8);
        assert_eq!(found, [1.0, 0.1, 0.01, 0.001].map(|x| f16::from_f32(x).to_f32()));
        assert_ne!(found[1], 0.1);
    }

    #[test]
    fn beyond_the_tables_is_an_error() {
        let rotary = Rotary::new(&[1.0], 2, &Device::Cpu).unwrap();
        let mut output = [0.0; 6];
        assert!(rotary.rotate(&mut output, &[0.0; 6], 0, 2, 1.0).is_err());
        assert!(rotary.rotate(&mut output[..4], &[0.0; 4], 0, 2, 1.0).is_ok());
    }

    #[test]
    fn both_forms_agree() {
        let frequencies = default_inverse_frequencies(6);
        let rotary = Rotary::new(&frequencies, 5, &Device::Cpu).unwrap();
        let input: Vec<f32> = (0..30).map(|i| (i as f32).sin()).collect();
        let mut own = vec![0.0; 30];
        rotary.rotate(&mut own, &input, 0, 6, 1.0).unwrap();
        let tensor = Tensor::from_slice(&input, (1, 1, 5, 6), &Device::Cpu).unwrap();
        let candle = rotary.apply(&tensor).unwrap().flatten_all().unwrap();
        for (own, candle) in own.iter().zip(candle.to_vec1::<f32>().unwrap()) {
            assert!((own - candle).abs() < 1e-6);
        }
    }
}
