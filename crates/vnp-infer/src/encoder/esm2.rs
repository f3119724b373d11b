//! ESM-2: a pre-norm transformer with rotary positions over residues.
//!
//! Lin et al., Science 379, 1123 (2023); tensors are named as in transformers' `EsmModel`.

pub(crate) mod fair;

use std::ops::Range;
use std::sync::Arc;

use candle_core::{DType, Device, Result as CandleResult, Tensor};

use super::config::Esm2Config;
use super::{Encoder, ModelOptions, Network, embed_tokens, look_up, padding_bias, per_token};
use crate::batch::TokenBatch;
use crate::kernel::Kernels;
use crate::layer::Pass;
use crate::layer::attention::{Attention, Heads, Position};
use crate::layer::feed_forward::FeedForward;
use crate::layer::linear::Linear;
use crate::layer::norm::LayerNorm;
use crate::layer::rotary::{Rotary, default_inverse_frequencies};
use crate::tokenizer::esm2::{MASK, MAX_RESIDUES, PADDING, tokenize};
use crate::weights::{Role, TensorSource, TensorSpec, Weights};
use crate::{Error, Tensors};

/// The share of tokens that training left in place: 1 - 0.15 * 0.8. Token vectors are scaled by it
/// at inference too.
const KEPT_IN_TRAINING: f32 = 0.88;
/// The rotary frequencies in a bundle; checkpoints may also store a copy a layer.
const INVERSE_FREQUENCIES: &str = "rotary_embeddings.inv_freq";

/// An ESM-2 protein encoder: the mean of the last layer's normalised vectors over the first 1,024
/// residues.
///
/// A longer protein is cut to 1,024 residues before the network sees it, as the original's
/// extraction does. A letter outside the alphabet (lower case included) is `<unk>`.
pub struct Esm2 {
    network: Esm2Network,
    kernels: Kernels,
    budget: usize,
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
        Ok(Self {
            network: Esm2Network::load(config, weights, options.precision.dtype(), device)?,
            kernels: Kernels::for_device(device),
            budget: options.esm2_batch_tokens,
        })
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
        let tokens: Vec<Vec<u32>> = sequences.iter().map(|protein| tokenize(protein)).collect();
        embed_tokens(&self.network, self.kernels, self.budget, &tokens)
            .map_err(Error::compute("embedding with esm2"))
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

/// The network on a device.
pub(crate) struct Esm2Network {
    embeddings: Tensor,
    layers: Vec<Layer>,
    last_norm: LayerNorm,
    position: Position,
    token_dropout: bool,
    hidden_size: usize,
    device: Device,
}

struct Layer {
    attention_norm: LayerNorm,
    attention: Attention,
    feed_forward_norm: LayerNorm,
    feed_forward: FeedForward,
}

impl Esm2Network {
    pub(crate) fn load(
        config: &Esm2Config,
        weights: &Weights,
        dtype: DType,
        device: &Device,
    ) -> Result<Self, Error> {
        let stacked = |names: &[String]| weights.stacked(names, dtype, device);
        let norm = |name: String| {
            Ok::<_, Error>(LayerNorm {
                weight: stacked(&[format!("{name}.weight")])?,
                bias: stacked(&[format!("{name}.bias")])?,
                eps: config.layer_norm_eps as f32,
            })
        };
        let linear = |names: &[String]| {
            let ending = |ending: &str| -> Vec<String> {
                names.iter().map(|name| format!("{name}.{ending}")).collect()
            };
            let (weight, bias) = (stacked(&ending("weight"))?, stacked(&ending("bias"))?);
            Linear::new(&weight, Some(bias)).map_err(Error::compute("transposing a weight"))
        };
        let heads = Heads { count: config.num_attention_heads, size: config.head_size() };
        let layer = |index: usize| {
            let named = |name: &str| format!("encoder.layer.{index}.{name}");
            let qkv =
                ["query", "key", "value"].map(|part| named(&format!("attention.self.{part}")));
            Ok::<_, Error>(Layer {
                attention_norm: norm(named("attention.LayerNorm"))?,
                attention: Attention {
                    qkv: linear(&qkv)?,
                    output: linear(&[named("attention.output.dense")])?,
                    heads,
                },
                feed_forward_norm: norm(named("LayerNorm"))?,
                feed_forward: FeedForward::Plain {
                    up: linear(&[named("intermediate.dense")])?,
                    down: linear(&[named("output.dense")])?,
                },
            })
        };
        let frequencies = weights
            .values(INVERSE_FREQUENCIES)?
            .unwrap_or_else(|| default_inverse_frequencies(config.head_size()));
        let rotary = Rotary::new(&frequencies, MAX_RESIDUES + 2, device)
            .map_err(Error::compute("making the rotary tables"))?;
        Ok(Self {
            embeddings: stacked(&["embeddings.word_embeddings.weight".to_owned()])?,
            layers: (0..config.num_hidden_layers).map(layer).collect::<Result<_, _>>()?,
            last_norm: norm("encoder.emb_layer_norm_after".to_owned())?,
            position: Position::Rotary(rotary),
            token_dropout: config.token_dropout,
            hidden_size: config.hidden_size,
            device: device.clone(),
        })
    }

    /// Token vectors before the first layer: masks and padding are zero, the rest is scaled by the
    /// share of tokens kept in training over the share not masked here.
    fn embed(&self, batch: &TokenBatch) -> CandleResult<Tensor> {
        let x = look_up(&self.embeddings, batch, &self.device)?;
        let sequences = batch.ids.chunks(batch.length.max(1)).zip(&batch.lengths);
        let scales: Vec<f32> = sequences
            .flat_map(|(ids, length)| {
                let masks = ids.iter().filter(|id| **id == MASK).count();
                let kept = 1.0 - masks as f32 / *length as f32;
                let scale = if self.token_dropout { KEPT_IN_TRAINING / kept } else { 1.0 };
                let hides = |id: u32| id == PADDING || (self.token_dropout && id == MASK);
                ids.iter().map(move |id| if hides(*id) { 0.0 } else { scale })
            })
            .collect();
        x.broadcast_mul(&per_token(scales, batch, x.dtype(), &self.device)?)
    }
}

impl Network for Esm2Network {
    fn hidden_size(&self) -> usize {
        self.hidden_size
    }

    fn padding(&self) -> u32 {
        PADDING
    }

    fn pooled(&self, tokens: usize) -> Range<usize> {
        1..tokens.saturating_sub(1).clamp(1, MAX_RESIDUES + 1)
    }

    fn forward(
        &self,
        batch: &TokenBatch,
        kernels: Kernels,
        observe: &mut dyn FnMut(usize, &Tensor),
    ) -> CandleResult<Tensor> {
        let score_bias = padding_bias(batch, &self.device)?;
        let pass = Pass { kernels, score_bias };
        let mut x = self.embed(batch)?;
        observe(0, &x);
        for (index, layer) in self.layers.iter().enumerate() {
            let normed = layer.attention_norm.forward(&x, kernels)?;
            x = layer.attention.forward_add(&normed, &x, &self.position, &pass)?;
            let normed = layer.feed_forward_norm.forward(&x, kernels)?;
            x = layer.feed_forward.forward_add(&normed, &x, kernels)?;
            observe(index + 1, &x);
        }
        self.last_norm.forward(&x, kernels)
    }
}
