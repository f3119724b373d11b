//! DNABERT-S on the CPU.

use std::ops::Range;

use rayon::prelude::*;
use vnp_kernels::{Attention, Cpu, LayerKind, Position, Precision, alibi_slopes};

use super::load::Loader;
use super::transformer::{Layer, Norm, Order, Transformer};
use super::{OnCpu, Tokens};
use crate::Error;
use crate::encoder::config::DnabertConfig;
use crate::encoder::dnabert::pooled;
use crate::weights::Weights;

/// The vectors of pieces of a nucleotide sequence.
pub(crate) struct Pieces {
    /// `[vocabulary, hidden]`, token type 0 added
    table: Vec<f32>,
    norm: Norm,
}

/// Loads the network.
pub(crate) fn load(
    config: &DnabertConfig,
    weights: &Weights,
    cpu: Cpu,
    precision: Precision,
) -> Result<OnCpu<Pieces>, Error> {
    let loader = Loader { weights, cpu, precision };
    let (hidden, inner) = (config.hidden_size, config.intermediate_size);
    let layer = |index: usize| {
        let named = |name: &str| format!("encoder.layer.{index}.{name}");
        let linear = |name: &str, kind, outputs, inputs| {
            loader.linear(&[named(name)], kind, outputs, inputs, kind == LayerKind::Plain)
        };
        let norm = |name: &str| loader.norm(&named(name), config.layer_norm_eps);
        Ok(Layer {
            attention_norm: norm("attention.output.LayerNorm")?,
            qkv: linear("attention.self.Wqkv", LayerKind::Plain, 3 * hidden, hidden)?,
            output: linear("attention.output.dense", LayerKind::Plain, hidden, hidden)?,
            feed_forward_norm: norm("mlp.layernorm")?,
            up: linear("mlp.gated_layers", LayerKind::Glu, 2 * inner, hidden)?,
            down: linear("mlp.wo", LayerKind::Plain, hidden, inner)?,
        })
    };
    let heads = config.num_attention_heads;
    let transformer = Transformer {
        order: Order::NormLast,
        attention: Attention {
            cpu,
            heads,
            size: config.head_size(),
            position: Position::Alibi(alibi_slopes(heads)),
        },
        layers: (0..config.num_hidden_layers)
            .into_par_iter()
            .map(layer)
            .collect::<Result<_, Error>>()?,
        last_norm: None,
    };
    let mut table = weights.required("embeddings.word_embeddings.weight")?;
    let types = weights.required("embeddings.token_type_embeddings.weight")?;
    for row in table.chunks_exact_mut(hidden) {
        row.iter_mut().zip(&types).for_each(|(x, of_type)| *x += of_type);
    }
    let norm = loader.norm("embeddings.LayerNorm", config.layer_norm_eps)?;
    Ok(OnCpu::new(Pieces { table, norm }, transformer))
}

impl Tokens for Pieces {
    fn embed(&self, ids: &[u32], x: &mut [f32]) -> Result<(), vnp_kernels::Error> {
        let hidden = x.len() / ids.len().max(1);
        for (x, id) in x.chunks_exact_mut(hidden.max(1)).zip(ids) {
            let row = self.table.chunks_exact(hidden).nth(*id as usize).unwrap_or_default();
            self.norm.forward(row, x)?;
        }
        Ok(())
    }

    fn pooled(&self, tokens: usize) -> Range<usize> {
        pooled(tokens)
    }
}
