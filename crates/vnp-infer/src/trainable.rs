//! Both encoders as functions that candle can differentiate.
//!
//! The networks are those of inference, from the same tensors under the same names, with other
//! steps between the matrix products. They are for small sizes: all that a gradient needs is kept.

use std::collections::BTreeMap;
use std::sync::Arc;

use candle_core::{DType, Device, Tensor};

use crate::architecture::Architecture;
use crate::architecture::dnabert::DnabertConfig;
use crate::architecture::esm2::Esm2Config;
use crate::candle::Forward as _;
use crate::candle::differentiable::Differentiable;
use crate::candle::pack::Pack;
use crate::candle::transformer::Transformer;
use crate::error::Error;
use crate::tokenizer::Tokenizer as _;
use crate::tokenizer::dnabert::DnabertTokenizer;
use crate::tokenizer::esm2::{self, tokenize};
use crate::weights::{Provider, missing};

/// A DNABERT encoder whose embeddings can be differentiated.
#[derive(Debug, Clone)]
pub struct TrainableDnabert {
    config: DnabertConfig,
    tokenizer: Arc<DnabertTokenizer>,
}

impl TrainableDnabert {
    /// An encoder of this size, with the text of a `tokenizer.json`.
    ///
    /// # Errors
    /// A tokenizer that does not load, or has more tokens than the config.
    pub fn new(config: DnabertConfig, tokenizer_json: &[u8]) -> Result<Self, Error> {
        let tokenizer = DnabertTokenizer::new("tokenizer.json", tokenizer_json)?;
        tokenizer.check_vocabulary(config.vocab_size)?;
        Ok(Self { config, tokenizer: Arc::new(tokenizer) })
    }

    /// The token ids of nucleotides, framed.
    ///
    /// # Errors
    /// [`Error::Tokenizer`].
    pub fn tokenize(&self, nucleotides: &str) -> Result<Vec<u32>, Error> {
        self.tokenizer.tokenize(nucleotides)
    }

    /// The embeddings of token ids, `[sequences, hidden]`, by tensors named as
    /// [`DnabertConfig::tensors`] says. It is fastest if sequences of one length follow each other.
    ///
    /// # Errors
    /// A missing tensor, shapes that do not fit, a sequence without tokens.
    pub fn embed(
        &self,
        tensors: &BTreeMap<String, Tensor>,
        sequences: &[Vec<u32>],
    ) -> Result<Tensor, Error> {
        embed(&self.config, tensors, sequences)
    }
}

/// An ESM-2 encoder whose embeddings can be differentiated.
#[derive(Debug, Clone)]
pub struct TrainableEsm2 {
    config: Esm2Config,
}

impl TrainableEsm2 {
    /// The id of a masked residue.
    pub const MASK: u32 = esm2::MASK;

    /// An encoder of this size.
    #[must_use]
    pub fn new(config: Esm2Config) -> Self {
        Self { config }
    }

    /// The token ids of a protein, framed, of at most 1,024 residues.
    #[must_use]
    pub fn tokenize(&self, protein: &str) -> Vec<u32> {
        tokenize(protein)
    }

    /// The embeddings of token ids, `[sequences, hidden]`, by tensors named as
    /// [`Esm2Config::tensors`] says. It is fastest if sequences of one length follow each other.
    ///
    /// # Errors
    /// A missing tensor, shapes that do not fit, a sequence without residues.
    pub fn embed(
        &self,
        tensors: &BTreeMap<String, Tensor>,
        sequences: &[Vec<u32>],
    ) -> Result<Tensor, Error> {
        embed(&self.config, tensors, sequences)
    }
}

fn embed<A: Architecture>(
    config: &A,
    tensors: &BTreeMap<String, Tensor>,
    sequences: &[Vec<u32>],
) -> Result<Tensor, Error> {
    let device = tensors.values().next().map_or(&Device::Cpu, Tensor::device);
    let (plan, weights) = (config.plan(), TrainedTensors(tensors));
    let network = Transformer::with_ops(&plan, &weights, DType::F32, device, &Differentiable)?;
    let pack = Pack::new(sequences.iter().map(Vec::as_slice));
    pack.upload(device, plan.pooled)
        .and_then(|tokens| network.means(&tokens))
        .map_err(Error::compute("embedding"))
}

/// Tensors that are being trained.
struct TrainedTensors<'a>(&'a BTreeMap<String, Tensor>);

impl TrainedTensors<'_> {
    fn tensor(&self, name: &str) -> Result<&Tensor, Error> {
        self.0.get(name).ok_or_else(|| missing("the tensors in training", name, Vec::new()))
    }
}

impl Provider for TrainedTensors<'_> {
    fn stacked(&self, names: &[String], _: DType, _: &Device) -> Result<Tensor, Error> {
        let tensors = names.iter().map(|name| self.tensor(name)).collect::<Result<Vec<_>, _>>()?;
        Tensor::cat(&tensors, 0).map_err(Error::compute(format!("stacking {}", names.join(", "))))
    }

    fn values(&self, name: &str) -> Result<Option<Vec<f32>>, Error> {
        let Some(tensor) = self.0.get(name) else { return Ok(None) };
        let values = tensor.flatten_all().and_then(|values| values.to_vec1());
        values.map(Some).map_err(Error::compute(format!("reading {name}")))
    }
}

#[cfg(test)]
mod tests {
    use candle_core::Var;

    use super::*;
    use crate::encoder::transformer::{Dnabert, Esm2};
    use crate::encoder::{Encoder as _, ModelOptions};
    use crate::testing::{Random, dnabert_config, esm2_config, random_tensors, tokenizer_json};
    use crate::weights::TensorSource as _;
    use crate::weights::TensorSpec;
    use crate::weights::tensors::Tensors;

    fn variables(specs: impl Iterator<Item = TensorSpec>, tensors: &Tensors) -> Variables {
        specs
            .map(|TensorSpec { name, shape }| {
                let bytes = tensors.bytes(&name).unwrap();
                let half = Tensor::from_raw_buffer(&bytes, DType::F16, &shape, &Device::Cpu);
                (name, Var::from_tensor(&half.unwrap().to_dtype(DType::F32).unwrap()).unwrap())
            })
            .collect()
    }

    type Variables = BTreeMap<String, Var>;

    fn tensors(variables: &Variables) -> BTreeMap<String, Tensor> {
        variables.iter().map(|(name, var)| (name.clone(), var.as_tensor().clone())).collect()
    }

    fn check_equal(found: &Tensor, expected: &[f32]) {
        let found: Vec<f32> = found.flatten_all().unwrap().to_vec1().unwrap();
        assert_eq!(found.len(), expected.len());
        for (found, expected) in found.iter().zip(expected) {
            assert!((found - expected).abs() < 1e-5, "{found} {expected}");
        }
    }

    /// Compares the gradient of a fixed sum of the embeddings with what moving each tensor along
    /// a random direction does.
    fn check_gradient(variables: &Variables, embed: &dyn Fn(&BTreeMap<String, Tensor>) -> Tensor) {
        let sum = |tensors: &BTreeMap<String, Tensor>| {
            let found = embed(tensors);
            let weights: Vec<f32> = (0..found.elem_count()).map(|i| (i as f32).sin()).collect();
            let weights = Tensor::from_vec(weights, found.shape(), &Device::Cpu).unwrap();
            (found * weights).unwrap().sum_all().unwrap()
        };
        let gradients = sum(&tensors(variables)).backward().unwrap();
        let mut random = Random::new(5);
        for (name, var) in variables {
            let direction: Vec<f32> = (0..var.elem_count()).map(|_| random.float()).collect();
            let direction = Tensor::from_vec(direction, var.shape(), &Device::Cpu).unwrap();
            let gradient = gradients.get(var).unwrap_or_else(|| panic!("{name} has no gradient"));
            let predicted: f32 =
                (gradient * &direction).unwrap().sum_all().unwrap().to_scalar().unwrap();
            let moved = |step: f64| -> f64 {
                let mut moved = tensors(variables);
                moved.insert(
                    name.clone(),
                    (var.as_tensor() + (&direction * step).unwrap()).unwrap(),
                );
                f64::from(sum(&moved).to_scalar::<f32>().unwrap())
            };
            let found = (moved(5e-3) - moved(-5e-3)) / 1e-2;
            let tolerance = 2e-2 * found.abs().max(0.1);
            assert!((f64::from(predicted) - found).abs() < tolerance, "{name} {predicted} {found}");
        }
    }

    #[test]
    fn esm2_is_the_network_of_inference_and_has_its_gradient() {
        let config = esm2_config(16, 2, 2);
        let stored = random_tensors(config.tensors(), 1);
        let variables = variables(config.tensors(), &stored);
        let trainable = TrainableEsm2::new(config.clone());
        let proteins = ["MKVLAAGIV", "MKV", "LLE", "MKWLAAGIV"];
        let tokens: Vec<_> = proteins.iter().map(|p| trainable.tokenize(p)).collect();
        let network = Esm2::new(&config, stored, &ModelOptions::default()).unwrap();
        let found = trainable.embed(&tensors(&variables), &tokens).unwrap();
        check_equal(&found, &network.embed(&proteins).unwrap());
        let mut masked = tokens;
        masked[0][3] = TrainableEsm2::MASK;
        check_gradient(&variables, &|tensors| trainable.embed(tensors, &masked).unwrap());
    }

    #[test]
    fn dnabert_is_the_network_of_inference_and_has_its_gradient() {
        let config = dnabert_config(16, 2, 2);
        let stored = random_tensors(config.tensors(), 1);
        let variables = variables(config.tensors(), &stored);
        let trainable = TrainableDnabert::new(config.clone(), &tokenizer_json()).unwrap();
        let sequences = ["ACGTACGTT", "AAA", "AAN", "GATTACA"];
        let tokens: Vec<_> = sequences.iter().map(|s| trainable.tokenize(s).unwrap()).collect();
        let options = ModelOptions::default();
        let network = Dnabert::new(&config, stored, &tokenizer_json(), &options).unwrap();
        let found = trainable.embed(&tensors(&variables), &tokens).unwrap();
        check_equal(&found, &network.embed(&sequences).unwrap());
        check_gradient(&variables, &|tensors| trainable.embed(tensors, &tokens).unwrap());
    }

    #[test]
    fn a_missing_tensor_is_named() {
        let trainable = TrainableEsm2::new(esm2_config(16, 2, 2));
        let Err(Error::MissingTensor { name, .. }) = trainable.embed(&BTreeMap::new(), &[]) else {
            panic!()
        };
        assert_eq!(name, "embeddings.word_embeddings.weight");
    }
}
