//! The tokenizer of encoders that are trained from scratch: 6-mers in frame.

use serde_json::{Map, Value, json};

/// The special tokens in the order of their ids, as in DNABERT-2.
const SPECIAL: [&str; 5] = ["[UNK]", "[CLS]", "[SEP]", "[PAD]", "[MASK]"];
/// Bases of a token.
const BASES: usize = 6;

/// A `tokenizer.json` whose tokens are adjacent 6-mers between `[CLS]` and `[SEP]`: two codons
/// of a frame each. A 6-mer with any other letter is `[UNK]`, and so is a shorter sequence; bases
/// behind the last whole 6-mer are dropped.
/// Returns the text and the number of tokens.
#[must_use]
pub(crate) fn six_mer_tokenizer() -> (String, usize) {
    let mut vocabulary = Map::new();
    let six_mers = (0..1usize << (2 * BASES)).map(six_mer);
    for (id, token) in SPECIAL.iter().map(|token| (*token).to_owned()).chain(six_mers).enumerate() {
        vocabulary.insert(token, id.into());
    }
    let tokens = vocabulary.len();
    let added = SPECIAL.iter().enumerate().map(|(id, token)| {
        json!({"id": id, "content": token, "single_word": false, "lstrip": false,
               "rstrip": false, "normalized": false, "special": true})
    });
    let special = |token: &str, id: u32| json!({"id": token, "ids": [id], "tokens": [token]});
    let template = |token: &str| json!({"SpecialToken": {"id": token, "type_id": 0}});
    let sequence = |name: &str| json!({"Sequence": {"id": name, "type_id": 0}});
    // A sequence shorter than a token is one token, so that no sequence is empty.
    let pattern = format!("^.{{1,{}}}$|.{{{BASES}}}", BASES - 1);
    let tokenizer = json!({
        "version": "1.0",
        "truncation": null,
        "padding": null,
        "added_tokens": added.collect::<Vec<Value>>(),
        "normalizer": null,
        "pre_tokenizer": {
            "type": "Split", "pattern": {"Regex": pattern},
            "behavior": "Removed", "invert": true
        },
        "post_processor": {
            "type": "TemplateProcessing",
            "single": [template("[CLS]"), sequence("A"), template("[SEP]")],
            "pair": [template("[CLS]"), sequence("A"), template("[SEP]"), sequence("B")],
            "special_tokens": {"[CLS]": special("[CLS]", 1), "[SEP]": special("[SEP]", 2)}
        },
        "decoder": null,
        "model": {"type": "WordLevel", "vocab": vocabulary, "unk_token": "[UNK]"}
    });
    (format!("{tokenizer}\n"), tokens)
}

/// The 6-mer of a number: its bases are the digits in base four, A C G T.
fn six_mer(number: usize) -> String {
    (0..BASES).rev().map(|digit| base(number >> (2 * digit))).collect()
}

fn base(number: usize) -> char {
    match number % 4 {
        0 => 'A',
        1 => 'C',
        2 => 'G',
        _ => 'T',
    }
}

#[cfg(test)]
mod tests {
    use vnp_infer::TrainableDnabert;

    use super::*;
    use crate::joint::recipe::JointRecipe;

    #[track_caller]
    fn check(sequence: &str, expected: &[u32]) {
        let (text, tokens) = six_mer_tokenizer();
        assert_eq!(tokens, 4101);
        let config = JointRecipe::default().dnabert_config(tokens);
        let encoder = TrainableDnabert::new(config, text.as_bytes()).unwrap();
        assert_eq!(encoder.tokenize(sequence).unwrap(), expected, "{sequence}");
    }

    #[test]
    fn tokens_follow_each_other_in_frame() {
        check("", &[1, 2]);
        check("A", &[1, 0, 2]);
        check("ACGTA", &[1, 0, 2]);
        check("AAAAAA", &[1, 5, 2]);
        check("AAAAACTTTTTTG", &[1, 6, 4100, 2]);
        // An unknown letter masks its own token and moves no other.
        check("AANAACTTTTTT", &[1, 0, 4100, 2]);
        check("aaaaaaAAAAAA", &[1, 0, 5, 2]);
    }
}
