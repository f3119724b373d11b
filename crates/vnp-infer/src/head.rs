//! The classification head: two embeddings in, two scores out.

mod fallback;
mod perceptron;

use std::sync::Arc;

use rayon::prelude::*;

use crate::weights::{Role, TensorSource, TensorSpec, Weights};
use crate::{Error, Tensors};
pub use fallback::FallbackHead;
pub(crate) use fallback::check_fallback_size;
use perceptron::{CLASSES, Perceptron, softmax};

/// `softmax(output(relu(norm(hidden(nucleotide | protein)))))`, the original's head, on CPU.
///
/// Each row is computed alone by dot products that add in a fixed order, so that it does not
/// depend on the rows beside it, on threads, or on the instruction set.
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

/// Picks a head's tensors out of a state dict, whatever its number of units. All names may begin
/// alike, as those of a module in another one (`module.`) or of a dict in a dict do.
pub(crate) fn select(source: Arc<dyn TensorSource>) -> Result<Weights, Error> {
    const HIDDEN: &str = "hidden_layer.weight";
    let names = source.names();
    let prefix = names.iter().find_map(|name| name.strip_suffix(HIDDEN)).unwrap_or_default();
    let prefix = prefix.to_owned();
    let shape = source.info(&format!("{prefix}{HIDDEN}")).map(|info| info.shape.clone());
    // Where the tensor is missing or no matrix, the check below says so.
    let (units, features) = match shape.as_deref() {
        Some([units, features]) => (*units, *features),
        _ => (0, 0),
    };
    let required = [
        TensorSpec::new(HIDDEN, [units, features]),
        TensorSpec::new("hidden_layer.bias", [units]),
        TensorSpec::new("bn1.weight", [units]),
        TensorSpec::new("bn1.bias", [units]),
        TensorSpec::new("bn1.running_mean", [units]),
        TensorSpec::new("bn1.running_var", [units]),
        TensorSpec::new("output_layer.weight", [CLASSES, units]),
        TensorSpec::new("output_layer.bias", [CLASSES]),
    ];
    let role = |name: &str| match name.strip_prefix(&prefix).unwrap_or(name) {
        "bn1.num_batches_tracked" => Role::Unused,
        name => Role::Used(name.to_owned()),
    };
    Weights::select(source, role, required.into_iter(), std::iter::empty())
}

/// Checks that a head takes the embeddings of two encoders.
pub(crate) fn check_size(
    weights: &Weights,
    nucleotide: usize,
    protein: usize,
) -> Result<(), Error> {
    let (units, found) = size(weights);
    if found == nucleotide + protein && units > 0 && nucleotide > 0 && protein > 0 {
        return Ok(());
    }
    Err(Error::HeadSize { file: weights.label().to_owned(), found, nucleotide, protein })
}

/// Hidden units and features of selected tensors.
fn size(weights: &Weights) -> (usize, usize) {
    let weight = weights.infos().find(|(name, _)| *name == "hidden_layer.weight");
    match weight.map(|(_, info)| info.shape.as_slice()) {
        Some([units, features]) => (*units, *features),
        _ => (0, 0),
    }
}

fn rows_of(what: &'static str, values: &[f32], width: usize) -> Result<usize, Error> {
    if !values.len().is_multiple_of(width) {
        return Err(Error::EmbeddingSize { what, found: values.len(), width });
    }
    Ok(values.len() / width)
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
