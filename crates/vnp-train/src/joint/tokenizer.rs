use serde_json::{Map, Value, json};

/// Special tokens in the order of their ids, as in DNABERT-2.
const SPECIAL: [&str; 5] = ["[UNK]", "[CLS]", "[SEP]", "[PAD]", "[MASK]"];
/// Bases of a word.
const WORD: usize = 6;

/// A `tokenizer.json` whose tokens are words of six bases side by side, `[CLS] .. [SEP]`: two codons
/// of a frame. A word with any other letter is `[UNK]`, and so is a sequence shorter than one; bases
/// behind the last word are left out.
/// Returns the text and the number of tokens.
#[must_use]
pub fn word_tokenizer() -> (String, usize) {
    let mut vocabulary = Map::new();
    let words = (0..1usize << (2 * WORD)).map(word);
    for (id, token) in SPECIAL.iter().map(|token| (*token).to_owned()).chain(words).enumerate() {
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
    // A sequence that is shorter than a word is a word all the same: something stands for it.
    let pattern = format!("^.{{1,{}}}$|.{{{WORD}}}", WORD - 1);
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

/// The word of a number: its bases are the digits in base four, A C G T.
fn word(number: usize) -> String {
    (0..WORD).rev().map(|place| base(number >> (2 * place))).collect()
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
    use crate::JointRecipe;

    #[track_caller]
    fn check(sequence: &str, expected: &[u32]) {
        let (text, tokens) = word_tokenizer();
        assert_eq!(tokens, 4101);
        let config = JointRecipe::default().dnabert_config(tokens);
        let encoder = TrainableDnabert::new(config, text.as_bytes()).unwrap();
        assert_eq!(encoder.tokenize(sequence).unwrap(), expected, "{sequence}");
    }

    #[test]
    fn words_follow_each_other_in_frame() {
        check("", &[1, 2]);
        check("A", &[1, 0, 2]);
        check("ACGTA", &[1, 0, 2]);
        check("AAAAAA", &[1, 5, 2]);
        check("AAAAACTTTTTTG", &[1, 6, 4100, 2]);
        // An unknown letter hides its own word and moves no other.
        check("AANAACTTTTTT", &[1, 0, 4100, 2]);
        check("aaaaaaAAAAAA", &[1, 0, 5, 2]);
    }
}
