//! The classification head: two embeddings in, two scores out.

pub(crate) mod fallback;
mod perceptron;
pub(crate) mod tensors;

use std::sync::Arc;

use rayon::prelude::*;

use crate::error::Error;
use crate::weights::Weights;
use crate::weights::tensors::Tensors;
use perceptron::{Perceptron, rows_of, softmax};
use tensors::{check_size, select};

/// `softmax(output(relu(norm(hidden(nucleotide | protein)))))`, the original's head, on CPU.
///
/// Each row is computed alone by dot products that add in a fixed order, so that it does not
/// depend on the rows next to it, on threads, or on the instruction set.
#[derive(Debug, Clone)]
pub struct Head {
    nucleotide_size: usize,
    protein_size: usize,
    perceptron: Perceptron,
}

impl Head {
    /// A head from tensors in memory, named as in the original's state dict:
    /// `hidden_layer.{weight,bias}`, `bn1.{weight,bias,running_mean,running_var}`,
    /// `output_layer.{weight,bias}`.
    ///
    /// # Errors
    /// A tensor missing, misshaped or left over; [`Error::HeadSize`] where it does not take
    /// `nucleotide_size + protein_size` features.
    pub fn new(
        tensors: Tensors,
        nucleotide_size: usize,
        protein_size: usize,
    ) -> Result<Self, Error> {
        Self::load(&select(Arc::new(tensors))?, nucleotide_size, protein_size)
    }

    pub(crate) fn load(
        weights: &Weights,
        nucleotide_size: usize,
        protein_size: usize,
    ) -> Result<Self, Error> {
        check_size(weights, nucleotide_size, protein_size)?;
        Ok(Self { nucleotide_size, protein_size, perceptron: Perceptron::load(weights)? })
    }

    /// The size of a nucleotide embedding.
    pub fn nucleotide_size(&self) -> usize {
        self.nucleotide_size
    }

    /// The size of a protein embedding.
    pub fn protein_size(&self) -> usize {
        self.protein_size
    }

    /// The scores of rows: `nucleotide` is `[rows, nucleotide_size]`, `protein` is
    /// `[rows, protein_size]`; each result is `[score1 (others), score2 (virus)]`, which sum to 1.
    /// A row with NaN gets NaN.
    ///
    /// # Errors
    /// [`Error::EmbeddingSize`] and [`Error::RowCount`] where the embeddings do not fit.
    pub fn score(&self, nucleotide: &[f32], protein: &[f32]) -> Result<Vec<[f32; 2]>, Error> {
        Ok(self.logits(nucleotide, protein)?.into_iter().map(softmax).collect())
    }

    /// The same before the softmax.
    ///
    /// # Errors
    /// As [`Head::score`].
    pub fn logits(&self, nucleotide: &[f32], protein: &[f32]) -> Result<Vec<[f32; 2]>, Error> {
        let rows = rows_of("nucleotide", nucleotide, self.nucleotide_size)?;
        let proteins = rows_of("protein", protein, self.protein_size)?;
        if rows != proteins {
            return Err(Error::RowCount { nucleotide: rows, protein: proteins });
        }
        Ok(nucleotide
            .par_chunks_exact(self.nucleotide_size)
            .zip(protein.par_chunks_exact(self.protein_size))
            .map(|(nucleotide, protein)| self.perceptron.logits(&[nucleotide, protein].concat()))
            .collect())
    }
}

#[cfg(test)]
mod tests {
    use super::perceptron::EPS;
    use super::*;

    /// Two features, two units: unit 0 takes the nucleotide, unit 1 the protein.
    fn tensors() -> Tensors {
        let mut tensors = Tensors::default();
        tensors.insert_f32("hidden_layer.weight", &[2, 2], &[1., 0., 0., 1.]);
        tensors.insert_f32("hidden_layer.bias", &[2], &[0., 1.]);
        tensors.insert_f32("bn1.weight", &[2], &[1., 2.]);
        tensors.insert_f32("bn1.bias", &[2], &[0., 0.5]);
        tensors.insert_f32("bn1.running_mean", &[2], &[0., 1.]);
        tensors.insert_f32("bn1.running_var", &[2], &[1. - EPS, 4. - EPS]);
        tensors.insert_f32("output_layer.weight", &[2, 2], &[1., 0., 0., 1.]);
        tensors.insert_f32("output_layer.bias", &[2], &[0., 0.]);
        tensors
    }

    fn logits(nucleotide: f32, protein: f32) -> [f32; 2] {
        Head::new(tensors(), 1, 1).unwrap().logits(&[nucleotide], &[protein]).unwrap()[0]
    }

    #[test]
    fn rows_are_the_formula() {
        assert_eq!(logits(3., 2.), [3., 2.5]);
        assert_eq!(logits(-3., -2.), [0., 0.]);
        assert!(logits(f32::NAN, 2.)[0].is_nan());
    }

    #[test]
    fn scores_sum_to_one() {
        let head = Head::new(tensors(), 1, 1).unwrap();
        assert_eq!(head.score(&[0., -1.], &[-5., -9.]).unwrap(), [[0.5, 0.5]; 2]);
        assert_eq!(head.score(&[1e4], &[0.]).unwrap(), [[1.0, 0.0]]);
        assert!(head.score(&[f32::NAN], &[0.]).unwrap()[0][1].is_nan());
        assert!(head.score(&[], &[]).unwrap().is_empty());
    }

    #[test]
    fn sizes_are_checked() {
        let Err(Error::HeadSize { found, nucleotide, protein, .. }) = Head::new(tensors(), 2, 1)
        else {
            panic!()
        };
        assert_eq!((found, nucleotide, protein), (2, 2, 1));
        let head = Head::new(tensors(), 1, 1).unwrap();
        let Err(Error::RowCount { nucleotide, protein }) = head.score(&[0.; 2], &[0.; 3]) else {
            panic!()
        };
        assert_eq!((nucleotide, protein), (2, 3));
    }

    #[test]
    fn missing_tensors_are_named() {
        let Err(Error::MissingTensor { name, .. }) = Head::new(Tensors::default(), 1, 1) else {
            panic!()
        };
        assert_eq!(name, "hidden_layer.weight");
    }
}
