//! Encoders made of a tokenizer and a transformer, and the choice of what computes the latter.

use std::sync::Arc;

use candle_core::Device;
use rayon::prelude::*;
use vnp_kernels::Cpu;

use super::{Encoder, Interrupt, ModelOptions};
use crate::architecture::dnabert::DnabertConfig;
use crate::architecture::esm2::Esm2Config;
use crate::architecture::plan::Plan;
use crate::architecture::{Architecture, NetworkSource};
use crate::candle::CandleNetwork;
use crate::candle::transformer::Transformer;
use crate::cost::Cost;
use crate::cpu::CpuNetwork;
use crate::error::Error;
use crate::network::Network;
use crate::tokenizer::Tokenizer;
use crate::tokenizer::dnabert::DnabertTokenizer;
use crate::tokenizer::esm2::Esm2Tokenizer;
use crate::weights::tensors::Tensors;

/// An encoder that cuts sequences into tokens and embeds them with a transformer.
pub struct TransformerEncoder<T> {
    tokenizer: T,
    plan: Plan,
    network: Box<dyn Network>,
    is_on_cpu: bool,
}

/// An ESM-2 protein encoder: the mean of the last layer's normalised vectors over the first 1,024
/// residues.
///
/// A longer protein is cut to 1,024 residues before the network sees it, as the original's
/// extraction does. A letter outside the alphabet (lower case included) is `<unk>`.
pub type Esm2 = TransformerEncoder<Esm2Tokenizer>;

/// A DNABERT nucleotide encoder: the mean of the last layer's vectors over all tokens, `[CLS]` and
/// `[SEP]` included. Sequences of any length are taken whole.
pub type Dnabert = TransformerEncoder<DnabertTokenizer>;

impl Esm2 {
    /// An encoder from tensors in memory, named as [`Esm2Config::tensors`] says.
    ///
    /// # Errors
    /// A config that cannot run, a tensor missing, misshaped or left over, no such device.
    pub fn new(
        config: &Esm2Config,
        tensors: Tensors,
        options: &ModelOptions,
    ) -> Result<Self, Error> {
        let device = options.device.open(options.precision)?;
        let source = NetworkSource::new(config.clone(), Arc::new(tensors))?;
        Self::load(&source, options, &device)
    }

    pub(crate) fn load(
        source: &NetworkSource<Esm2Config>,
        options: &ModelOptions,
        device: &Device,
    ) -> Result<Self, Error> {
        Self::with_tokenizer(Esm2Tokenizer, source, options, options.esm2_batch_tokens, device)
    }
}

impl Dnabert {
    /// An encoder from tensors in memory, named as [`DnabertConfig::tensors`] says, and the text
    /// of a `tokenizer.json`.
    ///
    /// # Errors
    /// A config that cannot run, a tensor missing, misshaped or left over, a tokenizer that does
    /// not load or fit, no such device.
    pub fn new(
        config: &DnabertConfig,
        tensors: Tensors,
        tokenizer_json: &[u8],
        options: &ModelOptions,
    ) -> Result<Self, Error> {
        let device = options.device.open(options.precision)?;
        let source = NetworkSource::new(config.clone(), Arc::new(tensors))?;
        let tokenizer = DnabertTokenizer::new("tokenizer.json", tokenizer_json)?;
        Self::load(&source, tokenizer, options, &device)
    }

    pub(crate) fn load(
        source: &NetworkSource<DnabertConfig>,
        tokenizer: DnabertTokenizer,
        options: &ModelOptions,
        device: &Device,
    ) -> Result<Self, Error> {
        tokenizer.check_vocabulary(source.config.vocab_size)?;
        Self::with_tokenizer(tokenizer, source, options, options.dnabert_batch_tokens, device)
    }
}

impl<T: Tokenizer> TransformerEncoder<T> {
    fn with_tokenizer<A: Architecture>(
        tokenizer: T,
        source: &NetworkSource<A>,
        options: &ModelOptions,
        batch_tokens: usize,
        device: &Device,
    ) -> Result<Self, Error> {
        let (plan, weights) = (source.config.plan(), &source.weights);
        let network: Box<dyn Network> = match options.precision.on_cpu() {
            Some(precision) if device.is_cpu() => {
                Box::new(CpuNetwork::load(&plan, weights, Cpu::detect(), precision)?)
            }
            _ => {
                let dtype = options.precision.dtype();
                let network = Transformer::load(&plan, weights, dtype, device)?;
                Box::new(CandleNetwork::new(network, device, batch_tokens))
            }
        };
        Ok(Self { tokenizer, plan, network, is_on_cpu: device.is_cpu() })
    }

    fn tokens(&self, sequences: &[&str]) -> Result<Vec<Vec<u32>>, Error> {
        sequences.par_iter().map(|sequence| self.tokenizer.tokenize(sequence)).collect()
    }
}

#[cfg(test)]
impl<T> TransformerEncoder<T> {
    /// The part that embeds tokens.
    pub(crate) fn network(&self) -> &dyn Network {
        self.network.as_ref()
    }
}

impl<T: Tokenizer> Encoder for TransformerEncoder<T> {
    fn name(&self) -> &'static str {
        T::ENCODER
    }

    fn hidden_size(&self) -> usize {
        self.plan.hidden
    }

    fn embed(&self, sequences: &[&str]) -> Result<Vec<f32>, Error> {
        self.embed_unless(sequences, &|| false)
    }

    fn embed_unless(
        &self,
        sequences: &[&str],
        is_interrupted: &Interrupt<'_>,
    ) -> Result<Vec<f32>, Error> {
        let tokens = |group| match is_interrupted() {
            true => Err(Error::Interrupted),
            false => self.tokens(group),
        };
        self.network.embed_groups(&mut groups(sequences).map(tokens), is_interrupted)
    }

    fn threads(&self) -> Option<usize> {
        self.is_on_cpu.then(rayon::current_num_threads)
    }

    fn cost(&self, sequences: &[&str]) -> Result<Cost, Error> {
        Ok(Cost::new(&self.plan, self.tokens(sequences)?.iter().map(Vec::len)))
    }
}

impl<T: Tokenizer> std::fmt::Debug for TransformerEncoder<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct(T::ENCODER).field("hidden_size", &self.plan.hidden).finish_non_exhaustive()
    }
}

/// Letters that are cut into tokens while a device computes those before.
const GROUP_LETTERS: usize = 1 << 18;

/// Cuts sequences into groups of some hundred thousand letters.
fn groups<'a>(sequences: &'a [&'a str]) -> impl Iterator<Item = &'a [&'a str]> {
    let mut rest = sequences;
    std::iter::from_fn(move || {
        let mut letters = 0;
        let is_full = |sequence: &&str| {
            letters += sequence.len();
            letters >= GROUP_LETTERS
        };
        let end = rest.iter().position(is_full).map_or(rest.len(), |last| last + 1);
        let (group, after) = rest.split_at_checked(end)?;
        rest = after;
        (!group.is_empty()).then_some(group)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check_groups(lengths: &[usize], expected: &[usize]) {
        let texts: Vec<String> = lengths.iter().map(|length| "A".repeat(*length)).collect();
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        let found: Vec<&[&str]> = groups(&texts).collect();
        assert_eq!(found.iter().map(|group| group.len()).collect::<Vec<_>>(), expected);
        assert_eq!(found.concat(), texts);
    }

    #[test]
    fn groups_hold_every_sequence() {
        check_groups(&[], &[]);
        check_groups(&[0], &[1]);
        check_groups(&[5, 6], &[2]);
        check_groups(&[GROUP_LETTERS, 1, GROUP_LETTERS - 1, 1], &[1, 2, 1]);
        check_groups(&[GROUP_LETTERS + 1, GROUP_LETTERS], &[1, 1]);
    }
}
