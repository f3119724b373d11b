//! The bundle's own BPE tokenizer.

use anyhow::{Result, anyhow};
use tokenizers::models::TrainerWrapper;
use tokenizers::models::bpe::{BPE, BpeTrainer};
use tokenizers::pre_tokenizers::whitespace::Whitespace;
use tokenizers::processors::template::TemplateProcessing;
use tokenizers::{AddedToken, Tokenizer};

/// In the order of their ids, as in DNABERT-2.
const SPECIAL: [&str; 5] = ["[UNK]", "[CLS]", "[SEP]", "[PAD]", "[MASK]"];

/// Trains a tokenizer of DNABERT-2's kind on upper-case sequences: no normalizer, split at white
/// space, `[CLS] $A [SEP]`. Returns the text of its `tokenizer.json`.
pub(crate) fn train<'a>(
    sequences: impl Iterator<Item = &'a str> + Send,
    vocabulary: usize,
) -> Result<String> {
    let special: Vec<_> = SPECIAL.map(|token| AddedToken::from(token, true)).into();
    let mut trainer: TrainerWrapper = BpeTrainer::builder()
        .vocab_size(vocabulary)
        .min_frequency(2)
        .show_progress(false)
        .special_tokens(special)
        .initial_alphabet("ACGT".chars().collect())
        .build()
        .into();
    let unknown = SPECIAL[0].to_owned();
    let model = BPE::builder().unk_token(unknown).build().map_err(|error| anyhow!("{error}"))?;
    let mut tokenizer = Tokenizer::new(model);
    tokenizer.with_pre_tokenizer(Some(Whitespace {}));
    tokenizer.train(&mut trainer, sequences).map_err(|error| anyhow!("{error}"))?;
    let frame = TemplateProcessing::builder()
        .try_single("[CLS] $A [SEP]")
        .and_then(|builder| builder.try_pair("[CLS] $A [SEP] $B:1 [SEP]:1"))
        .map_err(|error| anyhow!("{error}"))?
        .special_tokens(vec![("[CLS]", 1), ("[SEP]", 2)])
        .build()?;
    tokenizer.with_post_processor(Some(frame));
    let mut text = tokenizer.to_string(true).map_err(|error| anyhow!("{error}"))?;
    text.push('\n');
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::train_mini::rng::Rng;

    fn sequences(count: usize) -> Vec<String> {
        let mut rng = Rng::new(3, "sequences");
        (0..count).map(|_| (0..200).map(|_| char::from(b"ACGT"[rng.below(4)])).collect()).collect()
    }

    fn trained() -> String {
        let sequences = sequences(200);
        train(sequences.iter().map(String::as_str), 64).unwrap()
    }

    #[test]
    fn training_repeats_byte_for_byte() {
        assert_eq!(trained(), trained());
    }

    #[test]
    fn ids_follow_dnabert() {
        let tokenizer: Tokenizer = trained().parse().unwrap();
        assert_eq!(tokenizer.get_vocab_size(true), 64);
        for (id, token) in SPECIAL.iter().enumerate() {
            assert_eq!(tokenizer.token_to_id(token), Some(id as u32));
        }
        let ids = |text| tokenizer.encode(text, true).unwrap().get_ids().to_vec();
        assert_eq!(ids("A"), [1, 5, 2]);
        assert_eq!(ids("NANa"), [1, 0, 5, 0, 0, 2]);
        let joined = ids("ACGTACGTTGCA");
        assert!(joined.len() < 14, "{joined:?}");
        assert_eq!((joined.first(), joined.last()), (Some(&1), Some(&2)));
    }
}
