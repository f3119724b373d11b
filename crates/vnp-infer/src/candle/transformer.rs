//! A transformer of candle's tensors: the steps of a plan, on whatever device the tensors are.

use std::ops::Range;

use candle_core::{DType, Device, Result as CandleResult, Tensor};

use super::Forward;
use super::alibi::Alibi;
use super::attention::{Attention, Position};
use super::feed_forward::{FeedForward, Up};
use super::linear::{Linear, Matrix};
use super::norm::LayerNorm;
use super::ops::{Ops, Stream};
use super::pack::Tokens;
use super::plain::Plain;
use super::rotary::Rotary;
use crate::architecture::plan::{self, Activation, LinearPlan, Norms, Plan, TokenDropout};
use crate::error::Error;
use crate::weights::Provider;

/// A loaded network. Its norms are held by where they are applied, before the first layer and after
/// each half of a layer, so that pre-norm and post-norm networks take the same steps.
#[derive(Debug, Clone)]
pub(crate) struct Transformer {
    /// `[vocabulary, hidden]`, f32: scaled by the share of tokens kept in training; the vector of
    /// token type 0 added where the network has types
    table: Tensor,
    dropout: Option<TokenDropout>,
    first_norm: LayerNorm,
    layers: Vec<Layer>,
    position: Position,
    /// The next residual: the sum before a norm (pre-norm) or its result (post-norm).
    stream: Stream,
    hidden_size: usize,
    pooled: fn(usize) -> Range<usize>,
    dtype: DType,
    ops: &'static dyn Ops,
}

#[derive(Debug, Clone)]
struct Layer {
    attention: Attention,
    /// The norm of the sum with the attention.
    attended_norm: LayerNorm,
    feed_forward: FeedForward,
    /// The norm of the sum with the feed-forward.
    fed_norm: LayerNorm,
}

impl Transformer {
    /// Loads a network with the steps that suit the device.
    pub(crate) fn load(
        plan: &Plan,
        weights: &dyn Provider,
        dtype: DType,
        device: &Device,
    ) -> Result<Self, Error> {
        Self::with_ops(plan, weights, dtype, device, ops_for(device))
    }

    pub(crate) fn with_ops(
        plan: &Plan,
        weights: &dyn Provider,
        dtype: DType,
        device: &Device,
        ops: &'static dyn Ops,
    ) -> Result<Self, Error> {
        let loader = Loader { plan, weights, dtype, device };
        Ok(Self {
            table: loader.table()?,
            dropout: plan.embedding.dropout,
            first_norm: loader.norm(&loader.norm_before(0))?,
            layers: (0..plan.layers).map(|i| loader.layer(i)).collect::<Result<_, _>>()?,
            position: loader.position()?,
            stream: match plan.norms {
                Norms::Pre { .. } => Stream::Sum,
                Norms::Post { .. } => Stream::Norm,
            },
            hidden_size: plan.hidden,
            pooled: plan.pooled,
            dtype,
            ops,
        })
    }

    /// The last token vectors, `[tokens, hidden]`, in f32. `observe` is called with 0 and the
    /// vectors before the first layer, then with n and those after layer n. On a device this starts
    /// the work and does not wait for it.
    pub(crate) fn forward(
        &self,
        tokens: &Tokens,
        observe: &mut dyn FnMut(usize, &Tensor),
    ) -> CandleResult<Tensor> {
        let (ops, stream) = (self.ops, self.stream);
        // The last norm gives the result, in f32; the others are read by a matrix product.
        let dtype = |done: usize| if done == self.layers.len() { DType::F32 } else { self.dtype };
        let x = self.embed(tokens)?;
        let (mut x, mut normed) = ops.add_norm(&x, None, &self.first_norm, stream, dtype(0))?;
        observe(0, &x);
        for (index, layer) in self.layers.iter().enumerate() {
            let attended = layer.attention.forward(&normed, &self.position, tokens, ops)?;
            let update = Some(layer.attention.update(&attended));
            (x, normed) = ops.add_norm(&x, update, &layer.attended_norm, stream, self.dtype)?;
            let fed = layer.feed_forward.forward(&normed, ops)?;
            let update = Some(layer.feed_forward.update(&fed));
            (x, normed) = ops.add_norm(&x, update, &layer.fed_norm, stream, dtype(index + 1))?;
            observe(index + 1, &x);
        }
        Ok(normed)
    }

    /// Token vectors before the first norm. Masked tokens are zero and the others scaled by the
    /// share that is not masked, where the network was trained with token dropout.
    fn embed(&self, tokens: &Tokens) -> CandleResult<Tensor> {
        let x = self.table.index_select(&tokens.ids, 0)?;
        let Some(dropout) = self.dropout else { return Ok(x) };
        if !tokens.pack.ids.contains(&dropout.mask) {
            return Ok(x);
        }
        let sequences = tokens.pack.sequences();
        let scales: Vec<f32> = sequences
            .flat_map(|ids| {
                let scale = 1.0 / dropout.not_masked(ids);
                ids.iter().map(move |id| if *id == dropout.mask { 0.0 } else { scale })
            })
            .collect();
        x.broadcast_mul(&Tensor::from_vec(scales, (tokens.len(), 1), x.device())?)
    }
}

impl Forward for Transformer {
    fn hidden_size(&self) -> usize {
        self.hidden_size
    }

    fn pooled(&self, tokens: usize) -> Range<usize> {
        (self.pooled)(tokens)
    }

    fn means(&self, tokens: &Tokens) -> CandleResult<Tensor> {
        self.ops.mean(&self.forward(tokens, &mut |_, _| {})?, tokens)
    }
}

/// The steps between matrix products for tensors on `device`.
fn ops_for(device: &Device) -> &'static dyn Ops {
    #[cfg(feature = "cuda")]
    if device.is_cuda() {
        return &crate::cuda::ops::Fused;
    }
    let _ = device;
    &Plain
}

/// What the tensors of a network are loaded from and to.
struct Loader<'a> {
    plan: &'a Plan,
    weights: &'a dyn Provider,
    dtype: DType,
    device: &'a Device,
}

impl Loader<'_> {
    fn linear(&self, plan: &LinearPlan) -> Result<Linear, Error> {
        Linear::load(plan, self.weights, self.dtype, self.device)
    }

    fn norm(&self, name: &str) -> Result<LayerNorm, Error> {
        LayerNorm::load(name, self.plan.eps, self.weights, self.device)
    }

    /// The norm of what layer `index` reads, or of the result after the last layer.
    fn norm_before(&self, index: usize) -> String {
        match self.plan.norms {
            Norms::Pre { last } if index == self.plan.layers => last.to_owned(),
            Norms::Pre { .. } => self.plan.layer(index).attention_norm,
            Norms::Post { embedding } if index == 0 => embedding.to_owned(),
            Norms::Post { .. } => self.plan.layer(index - 1).feed_forward_norm,
        }
    }

    fn layer(&self, index: usize) -> Result<Layer, Error> {
        let layer = self.plan.layer(index);
        let attended_norm = match self.plan.norms {
            Norms::Pre { .. } => &layer.feed_forward_norm,
            Norms::Post { .. } => &layer.attention_norm,
        };
        let up = match self.plan.activation {
            Activation::Gelu => Up::Plain(self.linear(&layer.up)?),
            Activation::GatedGelu => {
                Up::Gated(Matrix::load(&layer.up, self.weights, self.dtype, self.device)?)
            }
        };
        Ok(Layer {
            attention: Attention {
                qkv: self.linear(&layer.qkv)?,
                output: self.linear(&layer.output)?,
                heads: self.plan.heads,
            },
            attended_norm: self.norm(attended_norm)?,
            feed_forward: FeedForward { up, down: self.linear(&layer.down)? },
            fed_norm: self.norm(&self.norm_before(index + 1))?,
        })
    }

    fn table(&self) -> Result<Tensor, Error> {
        let plan::Embedding { table, types, dropout, .. } = self.plan.embedding;
        let load = |name: &str| self.weights.stacked(&[name.to_owned()], DType::F32, self.device);
        let mut table = load(table)?;
        if let Some((name, _)) = types {
            let added = load(name)?.narrow(0, 0, 1).and_then(|first| table.broadcast_add(&first));
            table = added.map_err(Error::compute("adding token type 0"))?;
        }
        if let Some(TokenDropout { kept, .. }) = dropout {
            let scaled = table.affine(f64::from(kept), 0.0);
            table = scaled.map_err(Error::compute("scaling the embeddings"))?;
        }
        Ok(table)
    }

    fn position(&self) -> Result<Position, Error> {
        match self.plan.position {
            plan::Position::Rotary { frequencies, tokens } => {
                let frequencies = self.plan.inverse_frequencies(frequencies, self.weights)?;
                let rotary = Rotary::new(&frequencies, tokens, self.device);
                rotary.map(Position::Rotary).map_err(Error::compute("making the rotary tables"))
            }
            plan::Position::Alibi => Alibi::new(self.plan.heads.count, self.device)
                .map(Position::Alibi)
                .map_err(Error::compute("making the slopes")),
        }
    }
}
