//! ESM-2 on a device of candle.

use candle_core::{DType, Device, Result as CandleResult, Tensor};
use std::ops::Range;

use super::{Forward, look_up, padding_bias, per_token};
use crate::Error;
use crate::batch::TokenBatch;
use crate::encoder::config::Esm2Config;
use crate::encoder::esm2::{INVERSE_FREQUENCIES, KEPT_IN_TRAINING, pooled};
use crate::kernel::Kernels;
use crate::layer::Pass;
use crate::layer::attention::{Attention, Heads, Position};
use crate::layer::feed_forward::FeedForward;
use crate::layer::linear::Linear;
use crate::layer::norm::LayerNorm;
use crate::layer::rotary::{Rotary, default_inverse_frequencies};
use crate::tokenizer::esm2::{MASK, MAX_RESIDUES, PADDING};
use crate::weights::Weights;

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

impl Forward for Esm2Network {
    fn hidden_size(&self) -> usize {
        self.hidden_size
    }

    fn padding(&self) -> u32 {
        PADDING
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
