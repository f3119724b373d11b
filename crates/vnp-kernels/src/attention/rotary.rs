//! Rotary position embedding, half-split form.
#![expect(
    clippy::indexing_slicing,
    reason = "`check` compares positions and head size with the tables; rows hold every head"
)]

use crate::error::{Error, check};

/// The cosines and sines of every position and frequency.
#[derive(Debug, Clone)]
pub struct Rotary {
    positions: usize,
    /// Half the head size.
    frequencies: usize,
    /// `[positions, frequencies]`
    cosines: Vec<f32>,
    /// `[positions, frequencies]`
    sines: Vec<f32>,
}

impl Rotary {
    /// Tables for `positions` tokens from the inverse frequencies of a checkpoint, half as many as a
    /// head has values.
    pub fn new(inverse_frequencies: &[f32], positions: usize) -> Self {
        let angles = (0..positions)
            .flat_map(|position| inverse_frequencies.iter().map(move |f| position as f32 * f));
        let (cosines, sines) = angles.map(|angle| (angle.cos(), angle.sin())).unzip();
        Self { positions, frequencies: inverse_frequencies.len(), cosines, sines }
    }

    /// Cosines and sines of a position.
    #[cfg(target_arch = "x86_64")]
    pub(crate) fn angles(&self, position: usize) -> (&[f32], &[f32]) {
        let range = position * self.frequencies..(position + 1) * self.frequencies;
        (&self.cosines[range.clone()], &self.sines[range])
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
    ) {
        let half = self.frequencies;
        let rows = output.chunks_exact_mut(2 * half).zip(input.chunks_exact(stride));
        let tables = self.cosines.chunks_exact(half).zip(self.sines.chunks_exact(half));
        for ((output, row), (cosines, sines)) in rows.zip(tables) {
            let (low, high) = row[offset..offset + 2 * half].split_at(half);
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
    }

    /// Fails for sequences longer than the tables, or heads of another size.
    pub(crate) fn check(&self, length: usize, head_size: usize) -> Result<(), Error> {
        check("a head", head_size, 2 * self.frequencies)?;
        if length > self.positions {
            let (expected, found) = (self.positions, length);
            return Err(Error::Length { what: "a sequence", expected, found });
        }
        Ok(())
    }
}
