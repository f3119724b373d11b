//! Tokenizers: from the letters of a sequence to token ids.

pub(crate) mod dnabert;
pub(crate) mod esm2;

use crate::error::Error;

/// What cuts the sequences of one encoder into tokens.
pub trait Tokenizer: Send + Sync {
    /// The name of the encoder in messages and records.
    const ENCODER: &'static str;

    /// The token ids of a sequence, framed.
    ///
    /// # Errors
    /// A sequence that the tokenizer cannot read.
    fn tokenize(&self, sequence: &str) -> Result<Vec<u32>, Error>;
}
