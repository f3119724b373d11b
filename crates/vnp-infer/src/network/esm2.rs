//! ESM-2 on a device of candle.

use std::ops::Range;

use candle_core::{DType, Device, Result as CandleResult, Tensor};

use super::Forward;
use crate::Error;
use crate::batch::Tokens;
use crate::encoder::config::Esm2Config;
use crate::encoder::esm2::{INVERSE_FREQUENCIES, KEPT_IN_TRAINING, pooled};
use crate::layer::attention::{Attention, Heads, Position};
use crate::layer::feed_forward::{FeedForward, Up};
use crate::layer::linear::Linear;
use crate::layer::norm::LayerNorm;
use crate::layer::ops::{self, Ops, Stream};
use crate::layer::rotary::{Rotary, default_inverse_frequencies};
use crate::tokenizer::esm2::{MASK, MAX_RESIDUES, PADDING};
use crate::weights::Provider;

/// The network on a device.
pub(crate) struct Esm2Network {
    /// `[vocabulary, hidden]`, f32, scaled by the share of tokens kept in training
    embeddings: Tensor,
    layers: Vec<Layer>,
    last_norm: LayerNorm,
    position: Position,
    token_dropout: bool,
    hidden_size: usize,
    dtype: DType,
    ops: &'static dyn Ops,
}

struct Layer {
    attention_norm: LayerNorm,
    attention: Attention,
    feed_forward_norm: LayerNorm,
    feed_forward: FeedForward,
}

impl Esm2Network {
    /// With the steps that suit the device.
    pub(crate) fn load(
        config: &Esm2Config,
        weights: &dyn Provider,
        dtype: DType,
        device: &Device,
    ) -> Result<Self, Error> {
        Self::with_ops(config, weights, dtype, device, ops::for_device(device))
    }

    pub(crate) fn with_ops(
        config: &Esm2Config,
        weights: &dyn Provider,
        dtype: DType,
        device: &Device,
        ops: &'static dyn Ops,
    ) -> Result<Self, Error> {
        let norm = |name: &str| LayerNorm::load(name, config.layer_norm_eps, weights, device);
        let linear = |names: &[String]| Linear::load(names, weights, dtype, device);
        let heads = Heads { count: config.num_attention_heads, size: config.head_size() };
        let layer = |index: usize| {
            let named = |name: &str| format!("encoder.layer.{index}.{name}");
            let qkv =
                ["query", "key", "value"].map(|part| named(&format!("attention.self.{part}")));
            Ok::<_, Error>(Layer {
                attention_norm: norm(&named("attention.LayerNorm"))?,
                attention: Attention {
                    qkv: linear(&qkv)?,
                    output: linear(&[named("attention.output.dense")])?,
                    heads,
                },
                feed_forward_norm: norm(&named("LayerNorm"))?,
                feed_forward: FeedForward {
                    up: Up::Plain(linear(&[named("intermediate.dense")])?),
                    down: linear(&[named("output.dense")])?,
                },
            })
        };
        let frequencies = weights
            .values(INVERSE_FREQUENCIES)?
            .unwrap_or_else(|| default_inverse_frequencies(config.head_size()));
        let rotary = Rotary::new(&frequencies, MAX_RESIDUES + 2, device)
            .map_err(Error::compute("making the rotary tables"))?;
        let name = "embeddings.word_embeddings.weight".to_owned();
        let kept = if config.token_dropout { KEPT_IN_TRAINING } else { 1.0 };
        Ok(Self {
            embeddings: weights
                .stacked(&[name], DType::F32, device)?
                .affine(f64::from(kept), 0.0)
                .map_err(Error::compute("scaling the embeddings"))?,
            layers: (0..config.num_hidden_layers).map(layer).collect::<Result<_, _>>()?,
            last_norm: norm("encoder.emb_layer_norm_after")?,
            position: Position::Rotary(rotary),
            token_dropout: config.token_dropout,
            hidden_size: config.hidden_size,
            dtype,
            ops,
        })
    }

    /// Token vectors before the first layer: masks and padding are zero, the rest is scaled by the
    /// share of tokens kept in training over the share not masked here.
    fn embed(&self, tokens: &Tokens) -> CandleResult<Tensor> {
        let x = self.embeddings.index_select(&tokens.ids, 0)?;
        if tokens.pack.ids.iter().all(|id| *id != MASK && *id != PADDING) {
            return Ok(x);
        }
        let sequences = tokens.pack.ranges().filter_map(|range| tokens.pack.ids.get(range));
        let scales: Vec<f32> = sequences
            .flat_map(|ids| {
                let masks = ids.iter().filter(|id| **id == MASK).count();
                let kept = 1.0 - masks as f32 / ids.len() as f32;
                let scale = if self.token_dropout { 1.0 / kept } else { 1.0 };
                let hides = |id: u32| id == PADDING || (self.token_dropout && id == MASK);
                ids.iter().map(move |id| if hides(*id) { 0.0 } else { scale })
            })
            .collect();
        x.broadcast_mul(&Tensor::from_vec(scales, (tokens.len(), 1), x.device())?)
    }
}

impl Forward for Esm2Network {
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
        let x = self.embed(tokens)?;
        observe(0, &x);
        let Some(first) = self.layers.first() else {
            return Ok(ops.add_norm(&x, None, &self.last_norm, Stream::Norm, DType::F32)?.0);
        };
        let (mut x, mut normed) =
            ops.add_norm(&x, None, &first.attention_norm, Stream::Sum, self.dtype)?;
        for (index, layer) in self.layers.iter().enumerate() {
            let attended = layer.attention.forward(&normed, &self.position, tokens, ops)?;
            let update = Some(layer.attention.update(&attended));
            (x, normed) =
                ops.add_norm(&x, update, &layer.feed_forward_norm, Stream::Sum, self.dtype)?;
            let fed = layer.feed_forward.forward(&normed, ops)?;
            let update = Some(layer.feed_forward.update(&fed));
            let (norm, dtype) = match self.layers.get(index + 1) {
                Some(next) => (&next.attention_norm, self.dtype),
                None => (&self.last_norm, DType::F32),
            };
            (x, normed) = ops.add_norm(&x, update, norm, Stream::Sum, dtype)?;
            observe(index + 1, &x);
        }
        Ok(normed)
    }
}
