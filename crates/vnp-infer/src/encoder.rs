//! Encoders: sequences in, one embedding per sequence out.

pub(crate) mod absent;
pub(crate) mod transformer;

use crate::cost::Cost;
use crate::device::DeviceSpec;
use crate::error::Error;
use crate::precision::Precision;

/// Answers whether a computation is to be given up; asked some times per second, from several threads.
pub type Interrupt<'a> = dyn Fn() -> bool + Sync + 'a;

/// Something that turns sequences into embeddings.
pub trait Encoder: Send + Sync {
    /// Its name in messages and records: `esm2`, `dnabert-s`.
    fn name(&self) -> &str;

    /// The number of values in an embedding.
    fn hidden_size(&self) -> usize;

    /// The embeddings of `sequences`, `[sequences, hidden_size]` row-major, in their order.
    ///
    /// Work is spread over the current rayon pool. On CPU a row depends on its sequence alone, bit
    /// for bit. A row that cannot be computed (an empty sequence, numbers beyond the precision)
    /// holds NaN or infinity, and the others are unharmed.
    ///
    /// # Errors
    /// [`Error::OutOfMemory`] where a single sequence is too much for the device, and
    /// [`Error::Compute`] when the device fails otherwise.
    fn embed(&self, sequences: &[&str]) -> Result<Vec<f32>, Error>;

    /// The same, given up soon after `is_interrupted` answers yes, however long a sequence takes. An
    /// encoder that is fast need not ask.
    ///
    /// # Errors
    /// [`Error::Interrupted`] when it was given up; those of [`embed`](Self::embed).
    fn embed_unless(
        &self,
        sequences: &[&str],
        is_interrupted: &Interrupt<'_>,
    ) -> Result<Vec<f32>, Error> {
        if is_interrupted() {
            return Err(Error::Interrupted);
        }
        self.embed(sequences)
    }

    /// The CPU threads that compute, each some sequences; none on a GPU, and where it is not known.
    fn threads(&self) -> Option<usize> {
        None
    }

    /// The work of embedding `sequences`; zero from an encoder that cannot estimate it.
    ///
    /// # Errors
    /// A sequence that cannot be cut into tokens.
    fn cost(&self, sequences: &[&str]) -> Result<Cost, Error> {
        let _ = sequences;
        Ok(Cost::default())
    }
}

/// How a model is to be loaded and run.
#[derive(Debug, Clone)]
pub struct ModelOptions {
    /// The device.
    pub device: DeviceSpec,
    /// The number format of weights and activations; not every CPU computes in bf16, and none in f16.
    pub precision: Precision,
    /// Tokens in one pack of proteins on a device, halved there where its memory is too small; on
    /// CPU packs have a size of their own and this has no effect.
    pub esm2_batch_tokens: usize,
    /// The same for nucleotide sequences.
    pub dnabert_batch_tokens: usize,
}

impl Default for ModelOptions {
    /// The best device, f32, 16,384 tokens in a pack.
    fn default() -> Self {
        Self {
            device: DeviceSpec::Auto,
            precision: Precision::F32,
            esm2_batch_tokens: 16_384,
            dnabert_batch_tokens: 16_384,
        }
    }
}
