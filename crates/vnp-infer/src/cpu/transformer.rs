//! A transformer on packed tokens: the steps of a plan, in buffers that the caller keeps.

use std::ops::Range;

use vnp_kernels::{Attention, AttentionScratch, Buffer, Epilogue, Linear, Scratch};

use super::embedding::Embedding;
use super::norm::Norm;
use crate::encoder::Interrupt;
use crate::error::Error;

/// Tokens that a linear layer takes at once.
const TOKEN_BLOCK: usize = 4096;

/// A loaded network.
pub(crate) struct Transformer {
    pub(crate) embedding: Embedding,
    pub(crate) attention: Attention,
    pub(crate) layers: Vec<Layer>,
    /// The norm after the last layer: a network has one if and only if it is pre-norm.
    pub(crate) last_norm: Option<Norm>,
    /// The positions whose vectors are averaged: see [`crate::architecture::plan::Plan::pooled`].
    pub(crate) pooled: fn(usize) -> Range<usize>,
}

/// One layer; `up` includes the GELU, and the gate where there is one.
pub(crate) struct Layer {
    pub(crate) attention_norm: Norm,
    pub(crate) qkv: Linear,
    pub(crate) output: Linear,
    pub(crate) feed_forward_norm: Norm,
    pub(crate) up: Linear,
    pub(crate) down: Linear,
}

/// The activations of one thread. They grow to the largest pack and keep that size.
#[derive(Debug, Default)]
pub(crate) struct Buffers {
    /// `[tokens, hidden]`: the token vectors
    x: Buffer<f32>,
    /// `[tokens, hidden]`: normalised vectors, or the attention's output
    side: Buffer<f32>,
    /// `[tokens, 3 * hidden]`
    qkv: Buffer<f32>,
    /// `[tokens, inner]`
    inner: Buffer<f32>,
    linear: Scratch,
    attention: AttentionScratch,
}

impl Transformer {
    /// Values of a token vector.
    pub(crate) fn hidden(&self) -> usize {
        self.attention.heads * self.attention.size
    }

    fn is_pre_norm(&self) -> bool {
        self.last_norm.is_some()
    }

    /// Whether the result of a row does not depend on the rows next to it, so that sequences may share
    /// a pack.
    pub(crate) fn packs_sequences(&self) -> bool {
        self.attention.cpu.rows_are_independent()
    }

    /// The last token vectors of sequences, packed. `observe` is called with 0 and the vectors
    /// before the first layer, then with n and the vectors after layer n. Given up soon after
    /// `is_interrupted` answers yes.
    pub(crate) fn forward<'b>(
        &self,
        sequences: &[&[u32]],
        buffers: &'b mut Buffers,
        observe: &mut dyn FnMut(usize, &[f32]),
        is_interrupted: &Interrupt<'_>,
    ) -> Result<&'b [f32], Error> {
        let lengths: Vec<usize> = sequences.iter().map(|ids| ids.len()).collect();
        let (tokens, hidden) = (lengths.iter().sum::<usize>(), self.hidden());
        buffers.side.resize(tokens * hidden);
        buffers.qkv.resize(tokens * 3 * hidden);
        let mut rest = buffers.x.resize(tokens * hidden);
        for ids in sequences {
            let (x, after) = rest.split_at_mut(ids.len() * hidden);
            self.embedding.forward(ids, x).map_err(Error::kernel)?;
            rest = after;
        }
        observe(0, buffers.x.get());
        let pass = Pass { network: self, is_interrupted };
        for (index, layer) in self.layers.iter().enumerate() {
            pass.attention(layer, &lengths, buffers)?;
            pass.feed_forward(layer, buffers)?;
            observe(index + 1, buffers.x.get());
        }
        if let Some(norm) = &self.last_norm {
            norm.forward(buffers.x.get(), buffers.side.get_mut()).map_err(Error::kernel)?;
            std::mem::swap(&mut buffers.x, &mut buffers.side);
        }
        Ok(buffers.x.get())
    }
}

/// One computation, which may be given up.
struct Pass<'a> {
    network: &'a Transformer,
    is_interrupted: &'a Interrupt<'a>,
}

impl Pass<'_> {
    fn check(&self) -> Result<(), Error> {
        if (self.is_interrupted)() { Err(Error::Interrupted) } else { Ok(()) }
    }

    /// A linear layer, token block by token block: all tokens of a very long sequence would take minutes.
    fn linear(
        &self,
        linear: &Linear,
        input: &Buffer<f32>,
        output: &mut Buffer<f32>,
        epilogue: Epilogue,
        scratch: &mut Scratch,
    ) -> Result<(), Error> {
        let (input, output) = (input.get(), output.get_mut());
        let tokens = output.len() / linear.width().max(1);
        // Where the rows around a row count, they must be the same as ever.
        let block = if self.network.packs_sequences() { TOKEN_BLOCK } else { tokens }.max(1);
        let inputs = input.len() / tokens.max(1);
        let inputs = input.chunks((block * inputs).max(1));
        for (input, output) in inputs.zip(output.chunks_mut((block * linear.width()).max(1))) {
            self.check()?;
            linear.forward(input, output, epilogue, scratch).map_err(Error::kernel)?;
        }
        Ok(())
    }

    fn attention(&self, layer: &Layer, lengths: &[usize], b: &mut Buffers) -> Result<(), Error> {
        let network = self.network;
        let hidden = network.hidden();
        let norm = &layer.attention_norm;
        if network.is_pre_norm() {
            norm.forward(b.x.get(), b.side.get_mut()).map_err(Error::kernel)?;
        }
        let input = if network.is_pre_norm() { &b.side } else { &b.x };
        self.linear(&layer.qkv, input, &mut b.qkv, Epilogue::Store, &mut b.linear)?;
        let (mut qkv, mut attended) = (b.qkv.get(), b.side.get_mut());
        for length in lengths {
            let (one, rest) = qkv.split_at(length * 3 * hidden);
            let (output, more) = attended.split_at_mut(length * hidden);
            let attention = &network.attention;
            attention
                .attend_unless(one, output, &mut b.attention, self.is_interrupted)
                .map_err(Error::kernel)?;
            (qkv, attended) = (rest, more);
        }
        self.check()?;
        self.linear(&layer.output, &b.side, &mut b.x, Epilogue::Add, &mut b.linear)?;
        self.norm_after(norm, b)
    }

    fn feed_forward(&self, layer: &Layer, b: &mut Buffers) -> Result<(), Error> {
        let is_pre_norm = self.network.is_pre_norm();
        let tokens = b.x.get().len() / self.network.hidden();
        b.inner.resize(tokens * layer.up.width());
        let norm = &layer.feed_forward_norm;
        if is_pre_norm {
            norm.forward(b.x.get(), b.side.get_mut()).map_err(Error::kernel)?;
        }
        let input = if is_pre_norm { &b.side } else { &b.x };
        self.linear(&layer.up, input, &mut b.inner, Epilogue::Gelu, &mut b.linear)?;
        self.linear(&layer.down, &b.inner, &mut b.x, Epilogue::Add, &mut b.linear)?;
        self.norm_after(norm, b)
    }

    fn norm_after(&self, norm: &Norm, b: &mut Buffers) -> Result<(), Error> {
        if !self.network.is_pre_norm() {
            norm.forward(b.x.get(), b.side.get_mut()).map_err(Error::kernel)?;
            std::mem::swap(&mut b.x, &mut b.side);
        }
        Ok(())
    }
}
