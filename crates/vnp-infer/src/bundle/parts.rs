//! The encoders and heads of a bundle, and whether they fit each other.

use std::path::Path;
use std::sync::Arc;

use vnp_escape::escaped_path;

use crate::architecture::NetworkSource;
use crate::architecture::dnabert::DnabertConfig;
use crate::architecture::esm2::Esm2Config;
use crate::error::Error;
use crate::given;
use crate::head::tensors::{check_fallback_size, check_size};
use crate::tokenizer::dnabert::DnabertTokenizer;
use crate::weights::Weights;

/// Everything that a model is loaded from.
#[derive(Debug, Clone)]
pub(crate) struct Parts {
    pub(crate) esm2: NetworkSource<Esm2Config>,
    pub(crate) dnabert: NetworkSource<DnabertConfig>,
    pub(crate) tokenizer: TokenizerFile,
    pub(crate) head: Weights,
    pub(crate) fallback: Option<Weights>,
}

/// The text of a nucleotide encoder's `tokenizer.json`; `label` is for messages.
#[derive(Debug, Clone)]
pub(crate) struct TokenizerFile {
    pub(crate) label: String,
    pub(crate) json: Arc<[u8]>,
}

impl Parts {
    /// The size of a nucleotide embedding.
    pub(crate) fn nucleotide_size(&self) -> usize {
        self.dnabert.config.hidden_size
    }

    /// The size of a protein embedding.
    pub(crate) fn protein_size(&self) -> usize {
        self.esm2.config.hidden_size
    }

    /// Checks that the heads take the embeddings of the encoders.
    pub(crate) fn check_heads(&self) -> Result<(), Error> {
        check_size(&self.head, self.nucleotide_size(), self.protein_size())?;
        match &self.fallback {
            Some(fallback) => check_fallback_size(fallback, self.nucleotide_size()),
            None => Ok(()),
        }
    }

    /// Checks that the tokenizer loads and fits the nucleotide encoder.
    pub(crate) fn check_tokenizer(&self) -> Result<(), Error> {
        self.tokenizer.load()?.check_vocabulary(self.dnabert.config.vocab_size)
    }
}

impl TokenizerFile {
    /// Reads a file, without a byte order mark.
    pub(crate) fn read(path: &Path) -> Result<Self, Error> {
        Ok(Self { label: escaped_path(path).to_string(), json: given::json_bytes(path)?.into() })
    }

    /// The tokenizer.
    pub(crate) fn load(&self) -> Result<DnabertTokenizer, Error> {
        DnabertTokenizer::new(&self.label, &self.json)
    }
}
