//! Loading a network: its weights are packed row by row into the layout of the kernels.

#![expect(clippy::indexing_slicing, reason = "weights of a linear layer are matrices")]

use rayon::prelude::*;
use vnp_kernels::{
    Attention, Cpu, LayerKind, Linear, LinearBuilder, Position, Precision, Rotary, alibi_slopes,
};

use super::embedding::Embedding;
use super::norm::Norm;
use super::transformer::{Layer, Transformer};
use crate::architecture::plan::{self, Activation, LinearPlan, Norms, Plan};
use crate::error::Error;
use crate::weights::Weights;

/// Rows of a matrix that are in memory as f32 before they are packed.
const BLOCK_ROWS: usize = 64;

/// Loads the network of a plan.
pub(super) fn transformer(
    plan: &Plan,
    weights: &Weights,
    cpu: Cpu,
    precision: Precision,
) -> Result<Transformer, Error> {
    let loader = Loader { weights, cpu, precision, eps: plan.eps };
    let up_form = match plan.activation {
        Activation::Gelu => LayerKind::Plain,
        Activation::GatedGelu => LayerKind::Glu,
    };
    let layer = |index: usize| {
        let layer = plan.layer(index);
        Ok(Layer {
            attention_norm: loader.norm(&layer.attention_norm)?,
            qkv: loader.linear(&layer.qkv, LayerKind::Plain)?,
            output: loader.linear(&layer.output, LayerKind::Plain)?,
            feed_forward_norm: loader.norm(&layer.feed_forward_norm)?,
            up: loader.linear(&layer.up, up_form)?,
            down: loader.linear(&layer.down, LayerKind::Plain)?,
        })
    };
    let position = match plan.position {
        plan::Position::Rotary { frequencies, tokens } => {
            Position::Rotary(Rotary::new(&plan.inverse_frequencies(frequencies, weights)?, tokens))
        }
        plan::Position::Alibi => Position::Alibi(alibi_slopes(plan.heads.count)),
    };
    Ok(Transformer {
        embedding: loader.embedding(plan)?,
        attention: Attention { cpu, heads: plan.heads.count, size: plan.heads.size, position },
        layers: (0..plan.layers).into_par_iter().map(layer).collect::<Result<_, Error>>()?,
        last_norm: match plan.norms {
            Norms::Pre { last } => Some(loader.norm(last)?),
            Norms::Post { .. } => None,
        },
        pooled: plan.pooled,
    })
}

/// How weights are to be packed.
#[derive(Debug, Clone, Copy)]
struct Loader<'a> {
    weights: &'a Weights,
    cpu: Cpu,
    precision: Precision,
    eps: f32,
}

impl Loader<'_> {
    fn linear(&self, plan: &LinearPlan, form: LayerKind) -> Result<Linear, Error> {
        let LinearPlan { names, outputs, inputs, has_bias } = plan;
        let mut builder = LinearBuilder::new(self.cpu, self.precision, form, *outputs, *inputs)
            .map_err(Error::kernel)?;
        let mut buffer: Vec<f32> = Vec::new();
        let mut first = 0;
        for name in names {
            let weight = self.weights.tensor(&format!("{name}.weight"))?;
            if *has_bias {
                let bias = self.weights.required(&format!("{name}.bias"))?;
                builder.bias(first, &bias).map_err(Error::kernel)?;
            }
            let rows = weight.shape()[0];
            for start in (0..rows).step_by(BLOCK_ROWS) {
                buffer.clear();
                weight.extend_rows(start..rows.min(start + BLOCK_ROWS), &mut buffer);
                builder.rows(first + start, &buffer).map_err(Error::kernel)?;
            }
            first += rows;
        }
        Ok(builder.build())
    }

    fn norm(&self, name: &str) -> Result<Norm, Error> {
        Ok(Norm {
            cpu: self.cpu,
            weight: self.weights.required(&format!("{name}.weight"))?,
            bias: self.weights.required(&format!("{name}.bias"))?,
            eps: self.eps,
        })
    }

    fn embedding(&self, plan: &Plan) -> Result<Embedding, Error> {
        let plan::Embedding { table, types, dropout, .. } = plan.embedding;
        let mut table = self.weights.required(table)?;
        if let Some((name, _)) = types {
            let types = self.weights.required(name)?;
            for row in table.chunks_exact_mut(plan.hidden) {
                row.iter_mut().zip(&types).for_each(|(x, of_type)| *x += of_type);
            }
        }
        let norm = match plan.norms {
            Norms::Pre { .. } => None,
            Norms::Post { embedding } => Some(self.norm(embedding)?),
        };
        Ok(Embedding { table, hidden: plan.hidden, norm, dropout })
    }
}
