//! DNABERT-S and DNABERT-2: a post-norm transformer (MosaicBERT) with ALiBi over BPE tokens.
//!
//! Zhou et al., ICLR 2024 (DNABERT-2) and Bioinformatics 41, i255 (2025) (DNABERT-S); tensors are
//! named as in their checkpoints.

use std::ops::Range;
use std::sync::Arc;

use candle_core::{DType, Device, Result as CandleResult, Tensor};
use rayon::prelude::*;

use super::config::DnabertConfig;
use super::esm2::norm;
use super::{Encoder, ModelOptions, Network, embed_tokens, look_up, padding_bias};
use crate::batch::TokenBatch;
use crate::kernel::Kernels;
use crate::layer::Pass;
use crate::layer::alibi::Alibi;
use crate::layer::attention::{Attention, Heads, Position};
use crate::layer::feed_forward::FeedForward;
use crate::layer::linear::Linear;
use crate::layer::norm::LayerNorm;
use crate::tokenizer::dnabert::{DnabertTokenizer, FRAMING_TOKENS};
use crate::weights::{Role, TensorSource, TensorSpec, Weights};
use crate::{Error, Tensors};

/// A DNABERT nucleotide encoder: the mean of the last layer's vectors over all tokens, `[CLS]` and
/// `[SEP]` included. Sequences of any length are taken whole.
pub struct Dnabert {
    network: DnabertNetwork,
    tokenizer: DnabertTokenizer,
    kernels: Kernels,
    budget: usize,
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
        Ok(Self {
            network: DnabertNetwork::load(config, weights, options.precision.dtype(), device)?,
            tokenizer,
            kernels: Kernels::for_device(device),
            budget: options.dnabert_batch_tokens,
        })
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
        let tokens: Vec<Vec<u32>> = sequences
            .par_iter()
            .map(|sequence| self.tokenizer.tokenize(sequence))
            .collect::<Result<_, _>>()?;
        embed_tokens(&self.network, self.kernels, self.budget, &tokens)
            .map_err(Error::compute("embedding with dnabert-s"))
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

fn role(name: &str) -> Role {
    const UNUSED: [&str; 4] = ["pooler.", "cls.", "classifier.", "embeddings.position_"];
    let name = name.strip_prefix("bert.").unwrap_or(name);
    if UNUSED.iter().any(|prefix| name.starts_with(prefix)) {
        Role::Unused
    } else {
        Role::Used(name.to_owned())
    }
}

/// The network on a device.
pub(crate) struct DnabertNetwork {
    embeddings: Tensor,
    /// The vector of token type 0, `[hidden]`.
    token_type: Tensor,
    embedding_norm: LayerNorm,
    layers: Vec<Layer>,
    alibi: Alibi,
    position: Position,
    hidden_size: usize,
    device: Device,
}

struct Layer {
    attention: Attention,
    attention_norm: LayerNorm,
    feed_forward: FeedForward,
    feed_forward_norm: LayerNorm,
}

impl DnabertNetwork {
    pub(crate) fn load(
        config: &DnabertConfig,
        weights: &Weights,
        dtype: DType,
        device: &Device,
    ) -> Result<Self, Error> {
        let tensor = |name: String| weights.stacked(&[name], dtype, device);
        let norm = |name: String| {
            Ok::<_, Error>(LayerNorm {
                weight: tensor(format!("{name}.weight"))?,
                bias: tensor(format!("{name}.bias"))?,
                eps: config.layer_norm_eps as f32,
            })
        };
        let linear = |name: String, bias: Option<String>| {
            let weight = tensor(format!("{name}.weight"))?;
            let bias = bias.map(&tensor).transpose()?;
            Linear::new(&weight, bias).map_err(Error::compute("transposing a weight"))
        };
        let biased = |name: String| linear(name.clone(), Some(format!("{name}.bias")));
        let heads = Heads { count: config.num_attention_heads, size: config.head_size() };
        let layer = |index: usize| {
            let named = |name: &str| format!("encoder.layer.{index}.{name}");
            Ok::<_, Error>(Layer {
                attention: Attention {
                    qkv: biased(named("attention.self.Wqkv"))?,
                    output: biased(named("attention.output.dense"))?,
                    heads,
                },
                attention_norm: norm(named("attention.output.LayerNorm"))?,
                feed_forward: FeedForward::Gated {
                    gated: linear(named("mlp.gated_layers"), None)?,
                    down: biased(named("mlp.wo"))?,
                },
                feed_forward_norm: norm(named("mlp.layernorm"))?,
            })
        };
        let token_types = tensor("embeddings.token_type_embeddings.weight".to_owned())?;
        let alibi = Alibi::new(config.num_attention_heads);
        Ok(Self {
            embeddings: tensor("embeddings.word_embeddings.weight".to_owned())?,
            token_type: token_types.get(0).map_err(Error::compute("taking token type 0"))?,
            embedding_norm: norm("embeddings.LayerNorm".to_owned())?,
            layers: (0..config.num_hidden_layers).map(layer).collect::<Result<_, _>>()?,
            position: Position::Alibi(alibi.clone()),
            alibi,
            hidden_size: config.hidden_size,
            device: device.clone(),
        })
    }

    fn score_bias(&self, batch: &TokenBatch) -> CandleResult<Tensor> {
        let distances = self.alibi.score_bias(batch.length, &self.device)?;
        match padding_bias(batch, &self.device)? {
            Some(padding) => distances.broadcast_add(&padding),
            None => Ok(distances),
        }
    }
}

impl Network for DnabertNetwork {
    fn hidden_size(&self) -> usize {
        self.hidden_size
    }

    fn padding(&self) -> u32 {
        // Any id will do: padding is hidden by the score bias and left out of the mean.
        0
    }

    fn pooled(&self, tokens: usize) -> Range<usize> {
        0..if tokens > FRAMING_TOKENS { tokens } else { 0 }
    }

    fn forward(
        &self,
        batch: &TokenBatch,
        kernels: Kernels,
        observe: &mut dyn FnMut(usize, &Tensor),
    ) -> CandleResult<Tensor> {
        let score_bias = match kernels {
            Kernels::Own => None,
            Kernels::Candle => Some(self.score_bias(batch)?),
        };
        let pass = Pass { kernels, score_bias };
        let x = look_up(&self.embeddings, batch, &self.device)?.broadcast_add(&self.token_type)?;
        let mut x = self.embedding_norm.forward(&x, kernels)?;
        observe(0, &x);
        for (index, layer) in self.layers.iter().enumerate() {
            let sum = layer.attention.forward_add(&x, &x, &self.position, &pass)?;
            x = layer.attention_norm.forward(&sum, kernels)?;
            let sum = layer.feed_forward.forward_add(&x, &x, kernels)?;
            x = layer.feed_forward_norm.forward(&sum, kernels)?;
            observe(index + 1, &x);
        }
        Ok(x)
    }
}
