//! The networks that are timed: their published sizes, and the operations that they take.

use clap::ValueEnum;
use vnp_infer::{DnabertConfig, Esm2Config};

/// A network of a published size.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Shape {
    T6,
    T12,
    T30,
    T33,
    T36,
    Dnabert,
}

/// The dimensions of a network.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Size {
    pub(crate) layers: usize,
    pub(crate) hidden: usize,
    pub(crate) heads: usize,
    pub(crate) inner: usize,
    pub(crate) vocabulary: usize,
}

impl Shape {
    /// The name on the command line.
    pub(crate) fn name(self) -> String {
        format!("{self:?}").to_lowercase()
    }

    pub(crate) fn size(self) -> Size {
        let esm2 = |layers, hidden, heads| Size {
            layers,
            hidden,
            heads,
            inner: 4 * hidden,
            vocabulary: 33,
        };
        match self {
            Self::T6 => esm2(6, 320, 20),
            Self::T12 => esm2(12, 480, 20),
            Self::T30 => esm2(30, 640, 20),
            Self::T33 => esm2(33, 1280, 20),
            Self::T36 => esm2(36, 2560, 40),
            Self::Dnabert => {
                Size { layers: 12, hidden: 768, heads: 12, inner: 3072, vocabulary: 4096 }
            }
        }
    }

    /// Floating-point operations for a sequence of `tokens` tokens, a multiply-add counting as two:
    /// the linear layers, and the attention's scores and sums.
    pub(crate) fn flops(self, tokens: usize) -> f64 {
        let Size { layers, hidden, inner, .. } = self.size();
        let into_and_out = if self == Self::Dnabert { 3 } else { 2 };
        let weights = 4 * hidden * hidden + into_and_out * hidden * inner;
        let tokens = tokens as f64;
        layers as f64 * tokens * (2.0 * weights as f64 + 4.0 * tokens * hidden as f64)
    }

    /// How many sequences to embed in a run, so that it takes some seconds.
    pub(crate) fn sequences(self) -> usize {
        match self {
            Self::T6 => 256,
            Self::T12 => 128,
            Self::T30 | Self::Dnabert => 48,
            Self::T33 => 24,
            Self::T36 => 8,
        }
    }
}

impl Size {
    pub(crate) fn esm2_config(self) -> Esm2Config {
        Esm2Config {
            vocab_size: self.vocabulary,
            hidden_size: self.hidden,
            num_hidden_layers: self.layers,
            num_attention_heads: self.heads,
            intermediate_size: self.inner,
            layer_norm_eps: 1e-5,
            token_dropout: true,
            emb_layer_norm_before: false,
            position_embedding_type: "rotary".to_owned(),
            hidden_act: "gelu".to_owned(),
        }
    }

    pub(crate) fn dnabert_config(self) -> DnabertConfig {
        DnabertConfig {
            vocab_size: self.vocabulary,
            type_vocab_size: 2,
            hidden_size: self.hidden,
            num_hidden_layers: self.layers,
            num_attention_heads: self.heads,
            intermediate_size: self.inner,
            layer_norm_eps: 1e-12,
            hidden_act: "gelu".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_the_command_line() {
        for shape in Shape::value_variants() {
            assert_eq!(Shape::from_str(&shape.name(), false).unwrap(), *shape);
        }
    }

    /// GFLOP per token at 135 tokens (100 for DNABERT).
    #[test]
    fn work_is_counted_as_on_paper() {
        for (shape, tokens, expected) in
            [(Shape::T33, 135, 1.32), (Shape::T36, 135, 5.71), (Shape::Dnabert, 100, 0.23)]
        {
            let found = shape.flops(tokens) / tokens as f64 / 1e9;
            assert!((found / expected - 1.0).abs() < 0.01, "{shape:?}: {found}");
        }
    }

    /// The published numbers of parameters, in millions, of what a bundle holds.
    #[test]
    fn networks_are_as_large_as_their_names_say() {
        let millions = |count: usize| count as f64 / 1e6;
        let count = |shape: &[usize]| shape.iter().product::<usize>();
        for (shape, expected) in [
            (Shape::T6, 7.5),
            (Shape::T12, 33.5),
            (Shape::T30, 148.),
            (Shape::T33, 651.),
            (Shape::T36, 2_839.),
        ] {
            let config = shape.size().esm2_config();
            let found = millions(config.tensors().map(|spec| count(&spec.shape)).sum());
            assert!((found / expected - 1.0).abs() < 0.02, "{shape:?}: {found}");
        }
        let config = Shape::Dnabert.size().dnabert_config();
        let found = millions(config.tensors().map(|spec| count(&spec.shape)).sum());
        assert!((found / 117. - 1.0).abs() < 0.02, "{found}");
    }
}
