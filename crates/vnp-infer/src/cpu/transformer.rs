//! The layers of both networks, on packed tokens.

use vnp_kernels::{
    Attention, AttentionScratch, Buffer, Cpu, Epilogue, Error, Linear, Scratch, layer_norm,
};

/// A stack of layers.
pub(crate) struct Transformer {
    pub(crate) order: Order,
    pub(crate) attention: Attention,
    pub(crate) layers: Vec<Layer>,
    /// After the last layer, where there is one.
    pub(crate) last_norm: Option<Norm>,
}

/// Where a layer's norms stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Order {
    /// `x + f(norm(x))`: ESM-2.
    NormFirst,
    /// `norm(x + f(x))`: DNABERT.
    NormLast,
}

/// One layer. `up` is hidden to inner with GELU, or hidden to twice inner with a gate.
pub(crate) struct Layer {
    pub(crate) attention_norm: Norm,
    pub(crate) qkv: Linear,
    pub(crate) output: Linear,
    pub(crate) feed_forward_norm: Norm,
    pub(crate) up: Linear,
    pub(crate) down: Linear,
}

/// A layer norm.
#[derive(Debug, Clone)]
pub(crate) struct Norm {
    pub(crate) cpu: Cpu,
    pub(crate) weight: Vec<f32>,
    pub(crate) bias: Vec<f32>,
    pub(crate) eps: f32,
}

impl Norm {
    pub(crate) fn forward(&self, input: &[f32], output: &mut [f32]) -> Result<(), Error> {
        layer_norm(self.cpu, input, output, &self.weight, &self.bias, self.eps)
    }
}

/// The activations of one thread. They grow to the largest pack and stay.
#[derive(Debug, Default)]
pub(crate) struct Buffers {
    /// `[tokens, hidden]`: the token vectors
    x: Buffer<f32>,
    /// `[tokens, hidden]`: what a layer's halves read or write beside them
    side: Buffer<f32>,
    /// `[tokens, 3 * hidden]`
    qkv: Buffer<f32>,
    /// `[tokens, inner]`
    inner: Buffer<f32>,
    linear: Scratch,
    attention: AttentionScratch,
}

impl Buffers {
    /// Room for the vectors of a pack's tokens.
    pub(crate) fn start(&mut self, tokens: usize, hidden: usize) -> &mut [f32] {
        self.side.resize(tokens * hidden);
        self.qkv.resize(tokens * 3 * hidden);
        self.x.resize(tokens * hidden)
    }
}

impl Transformer {
    /// Values of a token vector.
    pub(crate) fn hidden(&self) -> usize {
        self.attention.heads * self.attention.size
    }

    /// Whether a row does not depend on those beside it, so that sequences may share a pack.
    pub(crate) fn packs_sequences(&self) -> bool {
        self.attention.cpu.rows_are_independent()
    }

    /// Takes the vectors of [`Buffers::start`], of sequences of `lengths` tokens, through all layers.
    pub(crate) fn forward<'b>(
        &self,
        lengths: &[usize],
        buffers: &'b mut Buffers,
        observe: &mut dyn FnMut(usize, &[f32]),
    ) -> Result<&'b [f32], Error> {
        observe(0, buffers.x.get());
        for (index, layer) in self.layers.iter().enumerate() {
            self.attention(layer, lengths, buffers)?;
            self.feed_forward(layer, buffers)?;
            observe(index + 1, buffers.x.get());
        }
        if let Some(norm) = &self.last_norm {
            norm.forward(buffers.x.get(), buffers.side.get_mut())?;
            std::mem::swap(&mut buffers.x, &mut buffers.side);
        }
        Ok(buffers.x.get())
    }

    fn attention(&self, layer: &Layer, lengths: &[usize], b: &mut Buffers) -> Result<(), Error> {
        let hidden = self.hidden();
        let norm = &layer.attention_norm;
        if self.order == Order::NormFirst {
            norm.forward(b.x.get(), b.side.get_mut())?;
            layer.qkv.forward(b.side.get(), b.qkv.get_mut(), Epilogue::Store, &mut b.linear)?;
        } else {
            layer.qkv.forward(b.x.get(), b.qkv.get_mut(), Epilogue::Store, &mut b.linear)?;
        }
        let (mut qkv, mut attended) = (b.qkv.get(), b.side.get_mut());
        for length in lengths {
            let (one, rest) = qkv.split_at(length * 3 * hidden);
            let (output, more) = attended.split_at_mut(length * hidden);
            self.attention.attend(one, output, &mut b.attention)?;
            (qkv, attended) = (rest, more);
        }
        layer.output.forward(b.side.get(), b.x.get_mut(), Epilogue::Add, &mut b.linear)?;
        self.norm_last(norm, b)
    }

    fn feed_forward(&self, layer: &Layer, b: &mut Buffers) -> Result<(), Error> {
        let tokens = b.x.get().len() / self.hidden();
        b.inner.resize(tokens * layer.up.width());
        let norm = &layer.feed_forward_norm;
        if self.order == Order::NormFirst {
            norm.forward(b.x.get(), b.side.get_mut())?;
            layer.up.forward(b.side.get(), b.inner.get_mut(), Epilogue::Gelu, &mut b.linear)?;
        } else {
            layer.up.forward(b.x.get(), b.inner.get_mut(), Epilogue::Gelu, &mut b.linear)?;
        }
        layer.down.forward(b.inner.get(), b.x.get_mut(), Epilogue::Add, &mut b.linear)?;
        self.norm_last(norm, b)
    }

    fn norm_last(&self, norm: &Norm, b: &mut Buffers) -> Result<(), Error> {
        if self.order == Order::NormLast {
            norm.forward(b.x.get(), b.side.get_mut())?;
            std::mem::swap(&mut b.x, &mut b.side);
        }
        Ok(())
    }
}
