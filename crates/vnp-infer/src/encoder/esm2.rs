//! ESM-2: a pre-norm transformer with rotary positions over residues.
//!
//! Lin et al., Science 379, 1123 (2023); tensors are named as in transformers' `EsmModel`.

pub(crate) mod fair;

use std::ops::Range;
use std::sync::Arc;

use candle_core::Device;
use vnp_kernels::Cpu;

use super::config::Esm2Config;
use super::{Cost, Encoder, ModelOptions, Size, groups};
use crate::network::esm2::Esm2Network;
use crate::network::{Network, OnCandle};
use crate::tokenizer::esm2::{MAX_RESIDUES, tokenize};
use crate::weights::{Role, TensorSource, TensorSpec, Weights};
use crate::{Error, Tensors};

/// The share of tokens that training left in place: 1 - 0.15 * 0.8. Token vectors are scaled by it
/// at inference too.
pub(crate) const KEPT_IN_TRAINING: f32 = 0.88;
/// The rotary frequencies in a bundle; checkpoints may also store a copy a layer.
pub(crate) const INVERSE_FREQUENCIES: &str = "rotary_embeddings.inv_freq";

/// An ESM-2 protein encoder: the mean of the last layer's normalised vectors over the first 1,024
/// residues.
///
/// A longer protein is cut to 1,024 residues before the network sees it, as the original's
/// extraction does. A letter outside the alphabet (lower case included) is `<unk>`.
pub struct Esm2 {
    network: Box<dyn Network>,
    size: Size,
}

impl Esm2 {
    /// An encoder from tensors in memory, named as [`Esm2Config::tensors`] says.
    ///
    /// # Errors
    /// A config that cannot run, a tensor missing, misshaped or left over, no such device.
    pub fn new(
        config: &Esm2Config,
        tensors: Tensors,
        options: &ModelOptions,
    ) -> Result<Self, Error> {
        let device = options.device.open(options.precision)?;
        let weights = select(config, Arc::new(tensors))?;
        Self::load(config, &weights, options, &device)
    }

    pub(crate) fn load(
        config: &Esm2Config,
        weights: &Weights,
        options: &ModelOptions,
        device: &Device,
    ) -> Result<Self, Error> {
        let network: Box<dyn Network> = match options.precision.on_cpu() {
            Some(precision) if device.is_cpu() => {
                Box::new(crate::cpu::esm2::load(config, weights, Cpu::detect(), precision)?)
            }
            _ => {
                let dtype = options.precision.dtype();
                let network = Esm2Network::load(config, weights, dtype, device)?;
                Box::new(OnCandle::new(network, device, options.esm2_batch_tokens))
            }
        };
        let Esm2Config { hidden_size, intermediate_size, num_hidden_layers, .. } = *config;
        let size = Size {
            layers: num_hidden_layers,
            hidden: hidden_size,
            weights: 4 * hidden_size * hidden_size + 2 * hidden_size * intermediate_size,
        };
        Ok(Self { network, size })
    }
}

impl Encoder for Esm2 {
    fn name(&self) -> &'static str {
        "esm2"
    }

    fn hidden_size(&self) -> usize {
        self.network.hidden_size()
    }

    fn embed(&self, sequences: &[&str]) -> Result<Vec<f32>, Error> {
        let tokens = |group: &[&str]| Ok(group.iter().map(|protein| tokenize(protein)).collect());
        self.network.embed_groups(&mut groups(sequences).map(tokens))
    }

    fn cost(&self, sequences: &[&str]) -> Result<Cost, Error> {
        Ok(self.size.cost(sequences.iter().map(|protein| tokenize(protein).len())))
    }
}

impl std::fmt::Debug for Esm2 {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Esm2").field("hidden_size", &self.hidden_size()).finish_non_exhaustive()
    }
}

impl Esm2Config {
    /// The tensors that a network of this size needs. `rotary_embeddings.inv_freq`, `[head / 2]`,
    /// may be there too.
    pub fn tensors(&self) -> impl Iterator<Item = TensorSpec> + use<> {
        let (hidden, inner) = (self.hidden_size, self.intermediate_size);
        let table =
            [TensorSpec::new("embeddings.word_embeddings.weight", [self.vocab_size, hidden])];
        let layers = (0..self.num_hidden_layers).flat_map(move |layer| {
            let linear = |name: &str, outputs, inputs| {
                let name = format!("encoder.layer.{layer}.{name}");
                [
                    TensorSpec::new(format!("{name}.weight"), [outputs, inputs]),
                    TensorSpec::new(format!("{name}.bias"), [outputs]),
                ]
            };
            [
                norm(&format!("encoder.layer.{layer}.attention.LayerNorm"), hidden),
                linear("attention.self.query", hidden, hidden),
                linear("attention.self.key", hidden, hidden),
                linear("attention.self.value", hidden, hidden),
                linear("attention.output.dense", hidden, hidden),
                norm(&format!("encoder.layer.{layer}.LayerNorm"), hidden),
                linear("intermediate.dense", inner, hidden),
                linear("output.dense", hidden, inner),
            ]
            .into_iter()
            .flatten()
        });
        table.into_iter().chain(layers).chain(norm("encoder.emb_layer_norm_after", hidden))
    }
}

/// The positions, of a sequence of `tokens` tokens, whose vectors make the embedding: its residues,
/// none of an empty sequence.
pub(crate) fn pooled(tokens: usize) -> Range<usize> {
    1..tokens.saturating_sub(1).clamp(1, MAX_RESIDUES + 1)
}

/// The tensors of a layer norm.
pub(crate) fn norm(name: &str, hidden: usize) -> [TensorSpec; 2] {
    [
        TensorSpec::new(format!("{name}.weight"), [hidden]),
        TensorSpec::new(format!("{name}.bias"), [hidden]),
    ]
}

/// Picks the tensors of an ESM-2 network out of a checkpoint.
pub(crate) fn select(config: &Esm2Config, source: Arc<dyn TensorSource>) -> Result<Weights, Error> {
    config.check(source.label())?;
    let frequencies = TensorSpec::new(INVERSE_FREQUENCIES, [config.head_size() / 2]);
    Weights::select(source, role, config.tensors(), std::iter::once(frequencies))
}

fn role(name: &str) -> Role {
    const UNUSED: [&str; 5] =
        ["lm_head.", "contact_head.", "pooler.", "classifier.", "embeddings.position_"];
    let name = name.strip_prefix("esm.").unwrap_or(name);
    if UNUSED.iter().any(|prefix| name.starts_with(prefix)) {
        Role::Unused
    } else if name.ends_with("rotary_embeddings.inv_freq") {
        Role::Repeated(INVERSE_FREQUENCIES.to_owned())
    } else {
        Role::Used(name.to_owned())
    }
}
