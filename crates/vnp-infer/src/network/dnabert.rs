//! DNABERT-S on a device of candle.

use std::ops::Range;

use candle_core::{DType, Device, Result as CandleResult, Tensor};

use super::Forward;
use crate::Error;
use crate::batch::Tokens;
use crate::encoder::config::DnabertConfig;
use crate::encoder::dnabert::pooled;
use crate::layer::alibi::Alibi;
use crate::layer::attention::{Attention, Heads, Position};
use crate::layer::feed_forward::{FeedForward, Up};
use crate::layer::linear::{Linear, Matrix};
use crate::layer::norm::LayerNorm;
use crate::layer::ops::{self, Ops, Stream};
use crate::weights::Provider;

/// The network on a device.
pub(crate) struct DnabertNetwork {
    /// The sum of each token's vector and that of token type 0, `[vocabulary, hidden]`, f32
    embeddings: Tensor,
    embedding_norm: LayerNorm,
    layers: Vec<Layer>,
    position: Position,
    hidden_size: usize,
    dtype: DType,
    ops: &'static dyn Ops,
}

struct Layer {
    attention: Attention,
    attention_norm: LayerNorm,
    feed_forward: FeedForward,
    feed_forward_norm: LayerNorm,
}

impl DnabertNetwork {
    /// With the steps that suit the device.
    pub(crate) fn load(
        config: &DnabertConfig,
        weights: &dyn Provider,
        dtype: DType,
        device: &Device,
    ) -> Result<Self, Error> {
        Self::with_ops(config, weights, dtype, device, ops::for_device(device))
    }

    pub(crate) fn with_ops(
        config: &DnabertConfig,
        weights: &dyn Provider,
        dtype: DType,
        device: &Device,
        ops: &'static dyn Ops,
    ) -> Result<Self, Error> {
        let norm = |name: &str| LayerNorm::load(name, config.layer_norm_eps, weights, device);
        let linear = |name: String| Linear::load(&[name], weights, dtype, device);
        let heads = Heads { count: config.num_attention_heads, size: config.head_size() };
        let layer = |index: usize| {
            let named = |name: &str| format!("encoder.layer.{index}.{name}");
            let gated = Matrix::load(&[named("mlp.gated_layers")], weights, dtype, device)?;
            Ok::<_, Error>(Layer {
                attention: Attention {
                    qkv: linear(named("attention.self.Wqkv"))?,
                    output: linear(named("attention.output.dense"))?,
                    heads,
                },
                attention_norm: norm(&named("attention.output.LayerNorm"))?,
                feed_forward: FeedForward { up: Up::Gated(gated), down: linear(named("mlp.wo"))? },
                feed_forward_norm: norm(&named("mlp.layernorm"))?,
            })
        };
        let table = |name: &str| {
            weights.stacked(&[format!("embeddings.{name}.weight")], DType::F32, device)
        };
        let (words, types) = (table("word_embeddings")?, table("token_type_embeddings")?);
        Ok(Self {
            embeddings: types
                .narrow(0, 0, 1)
                .and_then(|first| words.broadcast_add(&first))
                .map_err(Error::compute("adding token type 0"))?,
            embedding_norm: norm("embeddings.LayerNorm")?,
            layers: (0..config.num_hidden_layers).map(layer).collect::<Result<_, _>>()?,
            position: Alibi::new(config.num_attention_heads, device)
                .map(Position::Alibi)
                .map_err(Error::compute("making the slopes"))?,
            hidden_size: config.hidden_size,
            dtype,
            ops,
        })
    }
}

impl Forward for DnabertNetwork {
    fn hidden_size(&self) -> usize {
        self.hidden_size
    }

    fn pooled(&self, tokens: usize) -> Range<usize> {
        pooled(tokens)
    }

    fn forward(
        &self,
        tokens: &Tokens,
        observe: &mut dyn FnMut(usize, &Tensor),
    ) -> CandleResult<Tensor> {
        let ops = self.ops;
        let x = self.embeddings.index_select(&tokens.ids, 0)?;
        let (mut x, mut normed) =
            ops.add_norm(&x, None, &self.embedding_norm, Stream::Norm, self.dtype)?;
        observe(0, &x);
        for (index, layer) in self.layers.iter().enumerate() {
            let attended = layer.attention.forward(&normed, &self.position, tokens, ops)?;
            let update = Some(layer.attention.update(&attended));
            (x, normed) =
                ops.add_norm(&x, update, &layer.attention_norm, Stream::Norm, self.dtype)?;
            let fed = layer.feed_forward.forward(&normed, ops)?;
            let update = Some(layer.feed_forward.update(&fed));
            (x, normed) =
                ops.add_norm(&x, update, &layer.feed_forward_norm, Stream::Norm, self.dtype)?;
            observe(index + 1, &x);
        }
        Ok(x)
    }
}
