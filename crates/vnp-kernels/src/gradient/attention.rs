//! Attention for training, and its gradient.
#![expect(
    clippy::indexing_slicing,
    reason = "`sizes` checks the lengths of operands, and there is at least one token"
)]

use pulp::{Arch, Simd, WithSimd};

use crate::error::{Error, check};
use crate::portable::matmul::{Matrix, MatrixMut, multiply};
use crate::portable::rows::{dot, softmax};

/// The heads of an attention whose queries are scaled already and, with rotary positions, rotated
/// like the keys.
///
/// `qkv` is `[length, 3 * hidden]` with rows `q | k | v`, each head by head; `output` is
/// `[length, hidden]`.
#[derive(Debug, Clone, Copy)]
pub struct PreparedHeads<'a> {
    /// The distance penalty of ALiBi, or 0, of each head.
    pub slopes: &'a [f32],
    /// The number of values in a head.
    pub size: usize,
}

impl PreparedHeads<'_> {
    /// The attention of one sequence.
    ///
    /// # Errors
    /// [`Error::Length`] for slices of other lengths.
    pub fn attend(self, qkv: &[f32], output: &mut [f32]) -> Result<(), Error> {
        let (hidden, length) = self.sizes(qkv, output)?;
        if length == 0 {
            return Ok(());
        }
        let mut weights = vec![0.0; length * length];
        for head in 0..self.slopes.len() {
            self.weights(qkv, head, &mut weights)?;
            let output = &mut output[head * self.size..];
            multiply(
                MatrixMut::new(output, length, self.size, hidden)?,
                Matrix::new(&weights, length, length, length)?,
                self.part(qkv, 2, head)?,
            )?;
        }
        Ok(())
    }

    /// The gradient with respect to `qkv` from that with respect to the output.
    ///
    /// # Errors
    /// [`Error::Length`] for slices of other lengths.
    pub fn gradient(
        self,
        qkv: &[f32],
        output_gradient: &[f32],
        qkv_gradient: &mut [f32],
    ) -> Result<(), Error> {
        let (hidden, length) = self.sizes(qkv, output_gradient)?;
        check("the gradient of queries, keys and values", qkv_gradient.len(), qkv.len())?;
        if length == 0 {
            return Ok(());
        }
        let mut weights = vec![0.0; length * length];
        let mut scores = vec![0.0; length * length];
        for head in 0..self.slopes.len() {
            self.weights(qkv, head, &mut weights)?;
            let weights_of = Matrix::new(&weights, length, length, length)?;
            let outer = &output_gradient[head * self.size..];
            let outer = Matrix::new(outer, length, self.size, hidden)?;
            let into = MatrixMut::new(&mut scores, length, length, length)?;
            multiply(into, outer, self.part(qkv, 2, head)?.transposed())?;
            Arch::new().dispatch(SoftmaxGradient {
                weights: &weights,
                gradient: &mut scores,
                length,
            });
            let scores_of = Matrix::new(&scores, length, length, length)?;
            for (part, left, right) in [
                (0, scores_of, self.part(qkv, 1, head)?),
                (1, scores_of.transposed(), self.part(qkv, 0, head)?),
                (2, weights_of.transposed(), outer),
            ] {
                let into = &mut qkv_gradient[self.offset(part, head)..];
                multiply(MatrixMut::new(into, length, self.size, 3 * hidden)?, left, right)?;
            }
        }
        Ok(())
    }

    /// Hidden size and length.
    fn sizes(self, qkv: &[f32], output: &[f32]) -> Result<(usize, usize), Error> {
        let hidden = self.slopes.len() * self.size;
        check("a row of queries, keys and values", qkv.len() % (3 * hidden).max(1), 0)?;
        check("the output of attention", output.len(), qkv.len() / 3)?;
        Ok((hidden, qkv.len() / (3 * hidden).max(1)))
    }

    fn offset(self, part: usize, head: usize) -> usize {
        (part * self.slopes.len() + head) * self.size
    }

    /// The queries (0), keys (1) or values (2) of a head, `[length, size]`.
    fn part(self, qkv: &[f32], part: usize, head: usize) -> Result<Matrix<'_>, Error> {
        let width = 3 * self.slopes.len() * self.size;
        Matrix::new(&qkv[self.offset(part, head)..], qkv.len() / width, self.size, width)
    }

    /// The softmax of a head's scores, `[length, length]`.
    fn weights(self, qkv: &[f32], head: usize, weights: &mut [f32]) -> Result<(), Error> {
        let length = weights.len().isqrt();
        let mut scales = vec![0.0; length];
        multiply(
            MatrixMut::new(weights, length, length, length)?,
            self.part(qkv, 0, head)?,
            self.part(qkv, 1, head)?.transposed(),
        )?;
        softmax(weights, &mut scales, length, 0, self.slopes[head]);
        for (row, scale) in weights.chunks_exact_mut(length).zip(scales) {
            row.iter_mut().for_each(|weight| *weight *= scale);
        }
        Ok(())
    }
}

/// Turns the gradient of each row's softmax into that of its scores: `weights * (g - sum(weights * g))`.
struct SoftmaxGradient<'a> {
    weights: &'a [f32],
    gradient: &'a mut [f32],
    length: usize,
}

impl WithSimd for SoftmaxGradient<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let rows = self.weights.chunks_exact(self.length);
        for (weights, gradient) in rows.zip(self.gradient.chunks_exact_mut(self.length)) {
            let mean = dot(weights, gradient);
            for (gradient, weight) in gradient.iter_mut().zip(weights) {
                *gradient = weight * (*gradient - mean);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gradient::check_gradient;
    use crate::testing::random;
    use crate::{Attention, Cpu, Position, alibi_slopes};

    #[test]
    fn attention_is_that_of_inference() {
        let (heads, size, length) = (3, 8, 21);
        let qkv = random(1, length * 3 * heads * size);
        let mut expected = vec![0.0; length * heads * size];
        let slopes = alibi_slopes(heads);
        let attention = Attention {
            cpu: Cpu::portable(),
            heads,
            size,
            position: Position::Alibi(slopes.clone()),
        };
        attention.attend(&qkv, &mut expected, &mut Default::default()).unwrap();
        let mut prepared = qkv;
        for row in prepared.chunks_mut(3 * heads * size) {
            row.iter_mut().take(heads * size).for_each(|q| *q /= (size as f32).sqrt());
        }
        let mut found = vec![0.0; expected.len()];
        PreparedHeads { slopes: &slopes, size }.attend(&prepared, &mut found).unwrap();
        for (found, expected) in found.iter().zip(&expected) {
            assert!((found - expected).abs() < 1e-6, "{found} {expected}");
        }
    }

    #[test]
    fn gradients_are_those_of_the_function() {
        let (size, length) = (4, 7);
        for slopes in [&[0.0, 0.0][..], &[0.25, 0.0625]] {
            let heads = PreparedHeads { slopes, size };
            let qkv = random(2, length * 3 * slopes.len() * size);
            let weights = random(3, qkv.len() / 3);
            let mut gradient = vec![0.0; qkv.len()];
            heads.gradient(&qkv, &weights, &mut gradient).unwrap();
            check_gradient(&qkv, &weights, &gradient, |qkv| {
                let mut output = vec![0.0; qkv.len() / 3];
                heads.attend(qkv, &mut output).unwrap();
                output
            });
        }
    }

    #[test]
    fn slices_must_fit() {
        let heads = PreparedHeads { slopes: &[0.0; 2], size: 2 };
        let Err(Error::Length { found, expected, .. }) = heads.attend(&[0.0; 24], &mut [0.0; 7])
        else {
            panic!()
        };
        assert_eq!((found, expected), (7, 8));
        assert!(heads.attend(&[0.0; 23], &mut [0.0; 8]).is_err());
        assert!(heads.gradient(&[0.0; 24], &[0.0; 8], &mut [0.0; 23]).is_err());
    }
}
