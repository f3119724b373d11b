//! DNABERT-S on a device of candle.

use candle_core::{DType, Device, Result as CandleResult, Tensor};
use std::ops::Range;

use super::{Forward, look_up, padding_bias};
use crate::Error;
use crate::batch::TokenBatch;
use crate::encoder::config::DnabertConfig;
use crate::encoder::dnabert::pooled;
use crate::kernel::Kernels;
use crate::layer::Pass;
use crate::layer::alibi::Alibi;
use crate::layer::attention::{Attention, Heads, Position};
use crate::layer::feed_forward::FeedForward;
use crate::layer::linear::Linear;
use crate::layer::norm::LayerNorm;
use crate::weights::Weights;

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

impl Forward for DnabertNetwork {
    fn hidden_size(&self) -> usize {
        self.hidden_size
    }

    fn padding(&self) -> u32 {
        // Any id will do: padding is hidden by the score bias and left out of the mean.
        0
    }

    fn pooled(&self, tokens: usize) -> Range<usize> {
        pooled(tokens)
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
