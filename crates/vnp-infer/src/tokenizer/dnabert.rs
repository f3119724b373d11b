//! The byte-pair encoding of DNABERT-2 and DNABERT-S.

use tokenizers::Tokenizer;

use crate::Error;

/// A `tokenizer.json`, without the truncation and padding that some released files ask for.
#[derive(Debug)]
pub(crate) struct DnabertTokenizer {
    label: String,
    tokenizer: Tokenizer,
}

impl DnabertTokenizer {
    /// Loads the text of a `tokenizer.json`; `label` is for messages.
    pub(crate) fn new(label: &str, json: &[u8]) -> Result<Self, Error> {
        let failed = |source| Error::Tokenizer { file: label.to_owned(), source };
        let mut tokenizer = Tokenizer::from_bytes(json).map_err(failed)?;
        // DNABERT-S ships a file that cuts and pads to 2,000 tokens; transformers clears both.
        tokenizer.with_padding(None).with_truncation(None).map_err(failed)?;
        Ok(Self { label: label.to_owned(), tokenizer })
    }

    /// Checks that no token lies beyond a network's embedding table.
    pub(crate) fn check_vocabulary(&self, size: usize) -> Result<(), Error> {
        let vocabulary = self.tokenizer.get_vocab(true);
        let found = vocabulary.values().max().map_or(0, |last| *last as usize + 1);
        if found > size {
            return Err(Error::Vocabulary { file: self.label.clone(), expected: size, found });
        }
        Ok(())
    }

    /// `[CLS]`, the sequence, `[SEP]`. N and every other ambiguity code is one `[UNK]`, and so is
    /// a lower-case letter.
    pub(crate) fn tokenize(&self, sequence: &str) -> Result<Vec<u32>, Error> {
        let encoding = self
            .tokenizer
            .encode_fast(sequence, true)
            .map_err(|source| Error::Tokenizer { file: self.label.clone(), source })?;
        Ok(encoding.get_ids().to_vec())
    }
}
