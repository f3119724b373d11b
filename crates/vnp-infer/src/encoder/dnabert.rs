//! DNABERT-S and DNABERT-2: a post-norm transformer (MosaicBERT) with ALiBi over BPE tokens.
//!
//! Zhou et al., ICLR 2024 (DNABERT-2) and Bioinformatics 41, i255 (2025) (DNABERT-S); tensors are
//! named as in their checkpoints.

use std::ops::Range;
use std::sync::Arc;

use candle_core::Device;
use rayon::prelude::*;

use super::config::DnabertConfig;
use super::esm2::norm;
use super::{Cost, Encoder, ModelOptions, Size};
use crate::network::dnabert::DnabertNetwork;
use crate::network::{Network, OnCandle};
use crate::tokenizer::dnabert::{DnabertTokenizer, FRAMING_TOKENS};
use crate::weights::{Role, TensorSource, TensorSpec, Weights};
use crate::{Error, Tensors};

/// A DNABERT nucleotide encoder: the mean of the last layer's vectors over all tokens, `[CLS]` and
/// `[SEP]` included. Sequences of any length are taken whole.
pub struct Dnabert {
    network: Box<dyn Network>,
    tokenizer: DnabertTokenizer,
    size: Size,
}

impl Dnabert {
    /// An encoder from tensors in memory, named as [`DnabertConfig::tensors`] says, and the text
    /// of a `tokenizer.json`.
    ///
    /// # Errors
    /// A config that cannot run, a tensor missing, misshaped or left over, a tokenizer that does
    /// not load or fit, no such device.
    pub fn new(
        config: &DnabertConfig,
        tensors: Tensors,
        tokenizer_json: &[u8],
        options: &ModelOptions,
    ) -> Result<Self, Error> {
        let device = options.device.open(options.precision)?;
        let weights = select(config, Arc::new(tensors))?;
        let tokenizer = DnabertTokenizer::new("tokenizer.json", tokenizer_json)?;
        Self::load(config, &weights, tokenizer, options, &device)
    }

    pub(crate) fn load(
        config: &DnabertConfig,
        weights: &Weights,
        tokenizer: DnabertTokenizer,
        options: &ModelOptions,
        device: &Device,
    ) -> Result<Self, Error> {
        tokenizer.check_vocabulary(config.vocab_size)?;
        let network = DnabertNetwork::load(config, weights, options.precision.dtype(), device)?;
        let network = OnCandle::new(network, device, options.dnabert_batch_tokens);
        let DnabertConfig { hidden_size, intermediate_size, num_hidden_layers, .. } = *config;
        let size = Size {
            layers: num_hidden_layers,
            hidden: hidden_size,
            weights: 4 * hidden_size * hidden_size + 3 * hidden_size * intermediate_size,
        };
        Ok(Self { network: Box::new(network), tokenizer, size })
    }
}

impl Dnabert {
    fn tokens(&self, sequences: &[&str]) -> Result<Vec<Vec<u32>>, Error> {
        sequences.par_iter().map(|sequence| self.tokenizer.tokenize(sequence)).collect()
    }
}

#[cfg(test)]
impl Dnabert {
    /// What embeds tokens.
    pub(crate) fn network(&self) -> &dyn Network {
        self.network.as_ref()
    }
}

impl Encoder for Dnabert {
    fn name(&self) -> &'static str {
        "dnabert-s"
    }

    fn hidden_size(&self) -> usize {
        self.network.hidden_size()
    }

    fn embed(&self, sequences: &[&str]) -> Result<Vec<f32>, Error> {
        self.network.embed(&self.tokens(sequences)?)
    }

    fn cost(&self, sequences: &[&str]) -> Result<Cost, Error> {
        Ok(self.size.cost(self.tokens(sequences)?.iter().map(Vec::len)))
    }
}

impl std::fmt::Debug for Dnabert {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Dnabert").field("hidden_size", &self.hidden_size()).finish_non_exhaustive()
    }
}

impl DnabertConfig {
    /// The tensors that a network of this size needs.
    pub fn tensors(&self) -> impl Iterator<Item = TensorSpec> + use<> {
        let (hidden, inner) = (self.hidden_size, self.intermediate_size);
        let tables = [
            TensorSpec::new("embeddings.word_embeddings.weight", [self.vocab_size, hidden]),
            TensorSpec::new(
                "embeddings.token_type_embeddings.weight",
                [self.type_vocab_size, hidden],
            ),
        ];
        let layers = (0..self.num_hidden_layers).flat_map(move |layer| {
            let named = |name: &str| format!("encoder.layer.{layer}.{name}");
            let projections = [
                TensorSpec::new(named("attention.self.Wqkv.weight"), [3 * hidden, hidden]),
                TensorSpec::new(named("attention.self.Wqkv.bias"), [3 * hidden]),
                TensorSpec::new(named("attention.output.dense.weight"), [hidden, hidden]),
                TensorSpec::new(named("attention.output.dense.bias"), [hidden]),
                TensorSpec::new(named("mlp.gated_layers.weight"), [2 * inner, hidden]),
                TensorSpec::new(named("mlp.wo.weight"), [hidden, inner]),
                TensorSpec::new(named("mlp.wo.bias"), [hidden]),
            ];
            projections
                .into_iter()
                .chain(norm(&named("attention.output.LayerNorm"), hidden))
                .chain(norm(&named("mlp.layernorm"), hidden))
        });
        tables.into_iter().chain(norm("embeddings.LayerNorm", hidden)).chain(layers)
    }
}

/// Picks the tensors of a DNABERT network out of a checkpoint.
pub(crate) fn select(
    config: &DnabertConfig,
    source: Arc<dyn TensorSource>,
) -> Result<Weights, Error> {
    config.check(source.label())?;
    Weights::select(source, role, config.tensors(), std::iter::empty())
}

/// The positions, of a sequence of `tokens` tokens, whose vectors make the embedding: all of them,
/// none of an empty sequence.
pub(crate) fn pooled(tokens: usize) -> Range<usize> {
    0..if tokens > FRAMING_TOKENS { tokens } else { 0 }
}

fn role(name: &str) -> Role {
    const UNUSED: [&str; 4] = ["pooler.", "cls.", "classifier.", "embeddings.position_"];
    let name = name.strip_prefix("bert.").unwrap_or(name);
    if UNUSED.iter().any(|prefix| name.starts_with(prefix)) {
        Role::Unused
    } else {
        Role::Used(name.to_owned())
    }
}
