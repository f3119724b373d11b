//! Rotary position embedding, half-split form.

use crate::Error;

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
    /// Tables for `positions` tokens from a checkpoint's inverse frequencies, half a head's size of
    /// them.
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
        let cosines = self.cosines.get(range.clone()).unwrap_or_default();
        (cosines, self.sines.get(range).unwrap_or_default())
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
    }

    /// Fails for more tokens than the tables have, or heads of another size.
    pub(crate) fn reaches(&self, length: usize, head_size: usize) -> Result<(), Error> {
        crate::error::check("a head", head_size, 2 * self.frequencies)?;
        if length > self.positions {
            let (expected, found) = (self.positions, length);
            return Err(Error::Length { what: "a sequence", expected, found });
        }
        Ok(())
    }
}
