//! ESM-2 on the CPU.

use std::ops::Range;

use rayon::prelude::*;
use vnp_kernels::{Attention, Cpu, LayerKind, Position, Precision, Rotary};

use super::load::Loader;
use super::transformer::{Layer, Order, Transformer};
use super::{OnCpu, Tokens};
use crate::Error;
use crate::encoder::config::Esm2Config;
use crate::encoder::esm2::{INVERSE_FREQUENCIES, KEPT_IN_TRAINING, pooled};
use crate::layer::rotary::default_inverse_frequencies;
use crate::tokenizer::esm2::{MASK, MAX_RESIDUES};
use crate::weights::{Provider as _, Weights};

/// Residues' vectors.
pub(crate) struct Residues {
    /// `[vocabulary, hidden]`
    table: Vec<f32>,
    token_dropout: bool,
}

/// Loads the network.
pub(crate) fn load(
    config: &Esm2Config,
    weights: &Weights,
    cpu: Cpu,
    precision: Precision,
) -> Result<OnCpu<Residues>, Error> {
    let loader = Loader { weights, cpu, precision };
    let (hidden, inner) = (config.hidden_size, config.intermediate_size);
    let layer = |index: usize| {
        let named = |name: &str| format!("encoder.layer.{index}.{name}");
        let qkv = ["query", "key", "value"].map(|part| named(&format!("attention.self.{part}")));
        let linear = |name: &str, outputs, inputs| {
            loader.linear(&[named(name)], LayerKind::Plain, outputs, inputs, true)
        };
        Ok(Layer {
            attention_norm: loader.norm(&named("attention.LayerNorm"), config.layer_norm_eps)?,
            qkv: loader.linear(&qkv, LayerKind::Plain, 3 * hidden, hidden, true)?,
            output: linear("attention.output.dense", hidden, hidden)?,
            feed_forward_norm: loader.norm(&named("LayerNorm"), config.layer_norm_eps)?,
            up: linear("intermediate.dense", inner, hidden)?,
            down: linear("output.dense", hidden, inner)?,
        })
    };
    let frequencies = weights
        .values(INVERSE_FREQUENCIES)?
        .unwrap_or_else(|| default_inverse_frequencies(config.head_size()));
    let transformer = Transformer {
        order: Order::NormFirst,
        attention: Attention {
            cpu,
            heads: config.num_attention_heads,
            size: config.head_size(),
            position: Position::Rotary(Rotary::new(&frequencies, MAX_RESIDUES + 2)),
        },
        layers: (0..config.num_hidden_layers)
            .into_par_iter()
            .map(layer)
            .collect::<Result<_, Error>>()?,
        last_norm: Some(loader.norm("encoder.emb_layer_norm_after", config.layer_norm_eps)?),
    };
    let residues = Residues {
        table: weights.required("embeddings.word_embeddings.weight")?,
        token_dropout: config.token_dropout,
    };
    Ok(OnCpu::new(residues, transformer))
}

impl Tokens for Residues {
    /// Masks are zero; the rest is scaled by the share of tokens kept in training over the share
    /// not masked here.
    fn embed(&self, ids: &[u32], x: &mut [f32]) -> Result<(), vnp_kernels::Error> {
        let hidden = x.len() / ids.len().max(1);
        let masks = ids.iter().filter(|id| **id == MASK).count();
        let kept = 1.0 - masks as f32 / ids.len() as f32;
        let scale = if self.token_dropout { KEPT_IN_TRAINING / kept } else { 1.0 };
        for (x, id) in x.chunks_exact_mut(hidden.max(1)).zip(ids) {
            let hides = self.token_dropout && *id == MASK;
            let row = self.table.chunks_exact(hidden).nth(*id as usize);
            for (x, value) in x.iter_mut().zip(row.unwrap_or_default()) {
                *x = if hides { 0.0 } else { value * scale };
            }
        }
        Ok(())
    }

    fn pooled(&self, tokens: usize) -> Range<usize> {
        pooled(tokens)
    }
}
