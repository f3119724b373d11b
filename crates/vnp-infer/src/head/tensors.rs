//! The tensors of a head: picking them out of a state dict, and whether they fit the encoders.

use std::sync::Arc;

use super::perceptron::CLASSES;
use crate::error::Error;
use crate::weights::{Role, TensorSource, TensorSpec, Weights};

const HIDDEN: &str = "hidden_layer.weight";

/// Picks a head's tensors out of a state dict, whatever its number of units.
pub(crate) fn select(source: Arc<dyn TensorSource>) -> Result<Weights, Error> {
    // If the tensor is missing or not a matrix, the check below says so.
    let (units, features) = source.info(HIDDEN).map_or((0, 0), |info| matrix(&info.shape));
    let role = |name: &str| match name {
        "bn1.num_batches_tracked" => Role::Unused,
        name => Role::Used(name.to_owned()),
    };
    let required = specs(units, features).into_iter();
    Weights::select(source, role, required, std::iter::empty())
}

/// The tensors of a head, named as in the original's state dict.
pub(crate) fn specs(units: usize, features: usize) -> [TensorSpec; 8] {
    [
        TensorSpec::new(HIDDEN, [units, features]),
        TensorSpec::new("hidden_layer.bias", [units]),
        TensorSpec::new("bn1.weight", [units]),
        TensorSpec::new("bn1.bias", [units]),
        TensorSpec::new("bn1.running_mean", [units]),
        TensorSpec::new("bn1.running_var", [units]),
        TensorSpec::new("output_layer.weight", [CLASSES, units]),
        TensorSpec::new("output_layer.bias", [CLASSES]),
    ]
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

/// Checks that a fallback head takes the embeddings of the nucleotide encoder.
pub(crate) fn check_fallback_size(weights: &Weights, nucleotide: usize) -> Result<(), Error> {
    let (units, found) = size(weights);
    if found == nucleotide && units > 0 && nucleotide > 0 {
        return Ok(());
    }
    Err(Error::FallbackSize { file: weights.label().to_owned(), found, nucleotide })
}

/// Hidden units and features of selected tensors.
fn size(weights: &Weights) -> (usize, usize) {
    let hidden = weights.infos().find(|(name, _)| *name == HIDDEN);
    hidden.map_or((0, 0), |(_, info)| matrix(&info.shape))
}

/// The sizes of a matrix; 0 for any other shape.
fn matrix(shape: &[usize]) -> (usize, usize) {
    match shape {
        [rows, columns] => (*rows, *columns),
        _ => (0, 0),
    }
}
