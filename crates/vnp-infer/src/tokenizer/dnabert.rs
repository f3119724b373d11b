//! The tokenizer of DNABERT-2 and DNABERT-S, a byte-pair encoding.

use super::Tokenizer;
use crate::error::Error;

/// Tokens that frame a sequence: `[CLS]` and `[SEP]`.
pub(crate) const FRAMING_TOKENS: usize = 2;

/// A `tokenizer.json`, without the truncation and padding that some released files ask for.
#[derive(Debug)]
pub struct DnabertTokenizer {
    label: String,
    tokenizer: tokenizers::Tokenizer,
}

impl DnabertTokenizer {
    /// Loads the text of a `tokenizer.json`; `label` is for messages.
    pub(crate) fn new(label: &str, json: &[u8]) -> Result<Self, Error> {
        let failed = |cause| Error::Tokenizer { file: label.to_owned(), cause };
        let mut tokenizer = tokenizers::Tokenizer::from_bytes(json).map_err(failed)?;
        // DNABERT-S ships a file that cuts and pads to 2,000 tokens; transformers clears both.
        tokenizer.with_padding(None).with_truncation(None).map_err(failed)?;
        let tokenizer = Self { label: label.to_owned(), tokenizer };
        let framing = tokenizer.tokenize("")?.len();
        if framing != FRAMING_TOKENS {
            let reason =
                format!("it frames a sequence in {framing} tokens, expected [CLS] and [SEP]");
            return Err(Error::Tokenizer { file: label.to_owned(), cause: reason.into() });
        }
        Ok(tokenizer)
    }

    /// Checks that every token has a row in a network's embedding table.
    pub(crate) fn check_vocabulary(&self, size: usize) -> Result<(), Error> {
        let vocabulary = self.tokenizer.get_vocab(true);
        let found = vocabulary.values().max().map_or(0, |last| *last as usize + 1);
        if found > size {
            return Err(Error::Vocabulary { file: self.label.clone(), expected: size, found });
        }
        Ok(())
    }
}

impl Tokenizer for DnabertTokenizer {
    const ENCODER: &'static str = "dnabert-s";

    /// `[CLS]`, the sequence, `[SEP]`. N and every other ambiguity code is one `[UNK]`, and so is
    /// a lower-case letter.
    fn tokenize(&self, sequence: &str) -> Result<Vec<u32>, Error> {
        let encoding = self
            .tokenizer
            .encode_fast(sequence, true)
            .map_err(|cause| Error::Tokenizer { file: self.label.clone(), cause })?;
        Ok(encoding.get_ids().to_vec())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::tokenizer_json;

    fn check(sequence: &str, expected: &[u32]) {
        let tokenizer = DnabertTokenizer::new("t", &tokenizer_json()).unwrap();
        assert_eq!(tokenizer.tokenize(sequence).unwrap(), expected, "{sequence}");
    }

    #[test]
    fn sequences_are_framed() {
        check("", &[1, 2]);
        check("A", &[1, 5, 2]);
        check("AA", &[1, 9, 2]);
        check("AAAA", &[1, 25, 2]);
    }

    #[test]
    fn each_unknown_letter_is_one_token() {
        check("NN", &[1, 0, 0, 2]);
        check("ANRA", &[1, 5, 0, 0, 5, 2]);
        check("aA", &[1, 0, 5, 2]);
    }

    #[test]
    fn truncation_and_padding_are_cleared() {
        check(&"N".repeat(20), &[vec![1], vec![0; 20], vec![2]].concat());
    }

    #[test]
    fn a_tokenizer_without_frame_is_refused() {
        let mut json: serde_json::Value = serde_json::from_slice(&tokenizer_json()).unwrap();
        json["post_processor"] = serde_json::Value::Null;
        let Err(Error::Tokenizer { file, cause }) =
            DnabertTokenizer::new("t", json.to_string().as_bytes())
        else {
            panic!()
        };
        assert_eq!(file, "t");
        assert!(cause.to_string().contains("in 0 tokens"), "{cause}");
    }
}
