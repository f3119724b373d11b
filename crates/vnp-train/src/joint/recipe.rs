//! The settings with which encoders and head are trained together.

use serde::{Deserialize, Serialize};
use vnp_infer::{DnabertConfig, Esm2Config};

use crate::error::Error;
use crate::identity::Identity;
use crate::learn::optimizer::Optimizer;
use crate::learn::schedule::{Course, Schedule, within};

/// Everything that determines encoders and head apart from the records.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct JointRecipe {
    /// The seed of everything random.
    pub seed: u64,
    /// The size of the nucleotide encoder, whose tokens are 6-mers in frame.
    pub dnabert: EncoderSize,
    /// The size of the protein encoder.
    pub esm2: EncoderSize,
    /// The number of hidden units of the head.
    pub units: usize,
    /// The dropout rate of the hidden units.
    pub dropout: f64,
    /// Optimizer, rate, epochs, patience.
    pub schedule: Schedule,
    /// The lengths of windows, with the share of the batches that have each.
    pub lengths: Vec<LengthShare>,
    /// The windows of a step, half of them viral.
    pub batch: usize,
    /// The steps of an epoch.
    pub steps: usize,
    /// A group of n bases is drawn with the weight n to this power: 1 draws bases uniformly, 0 groups.
    pub group_power: f64,
    /// The changes to windows.
    pub augmentation: Augmentation,
    /// The weight of the chunk in the loss; the rest is that of its ORFs one by one.
    pub verdict: f64,
    /// The label smoothing: the share of every label that both classes get.
    pub smoothing: f64,
    /// The epoch whose weights are kept.
    #[serde(skip_serializing_if = "Keep::is_best")]
    pub keep: Keep,
}

/// The epoch whose weights are kept.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Keep {
    /// The epoch with the smallest validation loss.
    #[default]
    Best,
    /// The last epoch: for validation on few groups, where other trainings have shown the number of epochs.
    Last,
}

impl Keep {
    fn is_best(&self) -> bool {
        *self == Self::Best
    }
}

/// The size of an encoder.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct EncoderSize {
    /// The hidden size, also that of an embedding.
    pub hidden: usize,
    /// The number of layers.
    pub layers: usize,
    /// The number of attention heads per layer.
    pub heads: usize,
    /// The inner size of the feed-forward network.
    pub inner: usize,
}

/// A length of windows, with its share.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct LengthShare {
    /// The length in bp.
    pub length: u32,
    /// The share of the batches, relative to the other shares.
    pub share: f64,
}

/// The changes to a window before it is learned from.
///
/// Windows begin anywhere in a record, so that all frames occur; both strands are always read.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Augmentation {
    /// The share of the ORFs whose codons are replaced by synonymous ones, so that the encoders
    /// depend less on codon usage.
    pub recode: f64,
    /// The deviation of the preference for G and C with which the synonyms of an ORF are drawn, in
    /// logits per base.
    pub recode_bias: f64,
    /// The share of the tokens that are masked.
    pub mask: f64,
    /// The share of the bases that are replaced by another one.
    pub mutate: f64,
}

impl Default for Augmentation {
    fn default() -> Self {
        Self { recode: 0.25, recode_bias: 1.0, mask: 0.1, mutate: 0.0 }
    }
}

impl Default for JointRecipe {
    /// Small encoders that train in minutes.
    fn default() -> Self {
        Self {
            seed: 1,
            dnabert: EncoderSize { hidden: 64, layers: 1, heads: 4, inner: 128 },
            esm2: EncoderSize { hidden: 64, layers: 1, heads: 4, inner: 256 },
            units: 128,
            dropout: 0.3,
            schedule: Schedule {
                optimizer: Optimizer::adam_w(0.02),
                rate: 2e-3,
                course: Course::Cosine { warm_up: 0.5, floor: 0.0 },
                epochs: 8,
                patience: 8,
                clip: Some(1.0),
                average: Some(0.995),
            },
            lengths: vec![
                LengthShare { length: 500, share: 0.75 },
                LengthShare { length: 300, share: 0.25 },
            ],
            batch: 64,
            steps: 125,
            group_power: 0.5,
            augmentation: Augmentation::default(),
            verdict: 0.5,
            smoothing: 0.1,
            keep: Keep::Best,
        }
    }
}

impl JointRecipe {
    /// The config of the nucleotide encoder, whose tokens are those of
    /// [`six_mer_tokenizer`](crate::joint::tokenizer::six_mer_tokenizer).
    #[must_use]
    pub(crate) fn dnabert_config(&self, vocabulary: usize) -> DnabertConfig {
        let EncoderSize { hidden, layers, heads, inner } = self.dnabert;
        DnabertConfig {
            vocab_size: vocabulary,
            type_vocab_size: 1,
            hidden_size: hidden,
            num_hidden_layers: layers,
            num_attention_heads: heads,
            intermediate_size: inner,
            layer_norm_eps: 1e-12,
            hidden_act: "gelu".to_owned(),
        }
    }

    /// The config of the protein encoder.
    #[must_use]
    pub(crate) fn esm2_config(&self) -> Esm2Config {
        let EncoderSize { hidden, layers, heads, inner } = self.esm2;
        Esm2Config {
            vocab_size: 33,
            hidden_size: hidden,
            num_hidden_layers: layers,
            num_attention_heads: heads,
            intermediate_size: inner,
            layer_norm_eps: 1e-5,
            token_dropout: true,
            emb_layer_norm_before: false,
            position_embedding_type: "rotary".to_owned(),
            hidden_act: "gelu".to_owned(),
        }
    }

    pub(crate) fn check(&self) -> Result<(), Error> {
        let Augmentation { recode, recode_bias, mask, mutate } = self.augmentation;
        let low = -f64::MIN_POSITIVE;
        for (setting, share) in [
            ("dropout", self.dropout),
            ("augmentation mask", mask),
            ("augmentation mutate", mutate),
            ("smoothing", self.smoothing),
        ] {
            within(setting, share, low, 1.0, "from 0 to below 1")?;
        }
        for (setting, share) in [("augmentation recode", recode), ("verdict", self.verdict)] {
            within(setting, share, low, 1.0 + f64::EPSILON, "from 0 to 1")?;
        }
        within("augmentation recode_bias", recode_bias, low, f64::MAX, "0 or more")?;
        within("group_power", self.group_power, low, f64::MAX, "0 or more")?;
        for (setting, count) in [("units", self.units), ("steps", self.steps)] {
            within(setting, count as f64, 0.0, f64::MAX, "1 or more")?;
        }
        within("batch", self.batch as f64, 3.0, f64::MAX, "4 or more, half of them viral")?;
        within("lengths", self.lengths.len() as f64, 0.0, f64::MAX, "one or more")?;
        for LengthShare { length, share } in &self.lengths {
            within("length", f64::from(*length), 5.0, f64::MAX, "6 bp or more: one token")?;
            within("length share", *share, 0.0, f64::MAX, "above 0")?;
        }
        self.schedule.check()
    }

    /// The identity with every setting as a field of its own.
    pub(crate) fn identify(&self, identity: Identity) -> Result<Identity, Error> {
        identity.with_all("recipe", self)
    }
}
