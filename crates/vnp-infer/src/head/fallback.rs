//! The fallback head: one embedding in, of the nucleotides, two scores out.

use std::sync::Arc;

use rayon::prelude::*;

use super::perceptron::{Perceptron, rows_of, softmax};
use super::tensors::{check_fallback_size, select};
use crate::error::Error;
use crate::weights::Weights;
use crate::weights::tensors::Tensors;

/// `softmax(output(relu(norm(hidden(nucleotide)))))`: scores sequences that have no protein, such as
/// chunks without an open reading frame. As [`Head`](crate::Head) otherwise.
#[derive(Debug, Clone)]
pub struct FallbackHead {
    nucleotide_size: usize,
    perceptron: Perceptron,
}

impl FallbackHead {
    /// A fallback head from tensors in memory, named as those of [`Head::new`](crate::Head::new).
    ///
    /// # Errors
    /// A tensor missing, misshaped or left over; [`Error::FallbackSize`] where it does not take
    /// `nucleotide_size` features.
    ///
    /// ```
    /// use vnp_infer::{FallbackHead, Tensors};
    ///
    /// let mut tensors = Tensors::default();
    /// tensors.insert_f32("hidden_layer.weight", &[1, 2], &[1.0, 0.0]);
    /// for name in ["hidden_layer.bias", "bn1.bias", "bn1.running_mean"] {
    ///     tensors.insert_f32(name, &[1], &[0.0]);
    /// }
    /// for name in ["bn1.weight", "bn1.running_var"] {
    ///     tensors.insert_f32(name, &[1], &[1.0]);
    /// }
    /// tensors.insert_f32("output_layer.weight", &[2, 1], &[0.0, 1.0]);
    /// tensors.insert_f32("output_layer.bias", &[2], &[0.0, 0.0]);
    /// let head = FallbackHead::new(tensors, 2)?;
    /// let [others, virus] = head.score(&[0.0, 7.0])?[0];
    /// assert_eq!([others, virus], [0.5, 0.5]);
    /// # Ok::<(), vnp_infer::Error>(())
    /// ```
    pub fn new(tensors: Tensors, nucleotide_size: usize) -> Result<Self, Error> {
        Self::load(&select(Arc::new(tensors))?, nucleotide_size)
    }

    pub(crate) fn load(weights: &Weights, nucleotide_size: usize) -> Result<Self, Error> {
        check_fallback_size(weights, nucleotide_size)?;
        Ok(Self { nucleotide_size, perceptron: Perceptron::load(weights)? })
    }

    /// The size of a nucleotide embedding.
    pub fn nucleotide_size(&self) -> usize {
        self.nucleotide_size
    }

    /// The scores of rows, `[rows, nucleotide_size]`: each result is
    /// `[score1 (others), score2 (virus)]`, which sum to 1. A row with NaN gets NaN.
    ///
    /// # Errors
    /// [`Error::EmbeddingSize`] where the embeddings do not fit.
    pub fn score(&self, nucleotide: &[f32]) -> Result<Vec<[f32; 2]>, Error> {
        rows_of("nucleotide", nucleotide, self.nucleotide_size)?;
        let rows = nucleotide.par_chunks_exact(self.nucleotide_size);
        Ok(rows.map(|features| softmax(self.perceptron.logits(features))).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::head::Head;
    use crate::testing::random_head;

    /// The same tensors are the same function, whichever type holds them.
    #[test]
    fn it_is_the_head_without_a_protein() {
        let tensors = || random_head(24, 8, 3);
        let (fallback, head) =
            (FallbackHead::new(tensors(), 24).unwrap(), Head::new(tensors(), 16, 8).unwrap());
        let row: Vec<f32> = (0..24).map(|i| (i as f32 * 0.7).sin()).collect();
        let (nucleotide, protein) = row.split_at(16);
        assert_eq!(fallback.score(&row).unwrap(), head.score(nucleotide, protein).unwrap());
        let two = [row.clone(), row].concat();
        let scores = fallback.score(&two).unwrap();
        assert_eq!((scores.len(), scores[0]), (2, scores[1]));
        assert!((scores[0][0] + scores[0][1] - 1.0).abs() < 1e-6);
        assert!(fallback.score(&[f32::NAN; 24]).unwrap()[0][1].is_nan());
        assert!(fallback.score(&[]).unwrap().is_empty());
    }

    #[test]
    fn sizes_are_checked() {
        let Err(Error::FallbackSize { found, nucleotide, .. }) =
            FallbackHead::new(random_head(24, 8, 3), 25)
        else {
            panic!()
        };
        assert_eq!((found, nucleotide), (24, 25));
        let fallback = FallbackHead::new(random_head(24, 8, 3), 24).unwrap();
        let Err(Error::EmbeddingSize { found, width, .. }) = fallback.score(&[0.0; 25]) else {
            panic!()
        };
        assert_eq!((found, width), (25, 24));
        let Err(Error::MissingTensor { .. }) = FallbackHead::new(Tensors::default(), 24) else {
            panic!()
        };
    }
}
