//! Our encoders with random weights, and random sequences for them.

use anyhow::Result;
use serde_json::{Map, Value, json};
use vnp_infer::{DeviceSpec, Dnabert, Encoder, Esm2, ModelOptions, Precision, TensorSpec, Tensors};

use super::options::Options;
use super::shape::{Shape, Size};
use crate::draw::Draw;

/// Bases in a token of the tokenizer made here; DNABERT's own have five on average.
const WORD: usize = 5;
/// Tokens around a sequence.
const FRAME: usize = 2;

/// An encoder of the shape, on the CPU.
pub(crate) fn encoder(shape: Shape, precision: Precision) -> Result<Box<dyn Encoder>> {
    let options = ModelOptions { device: DeviceSpec::Cpu, precision, ..ModelOptions::default() };
    let size = shape.size();
    Ok(if shape == Shape::Dnabert {
        let config = size.dnabert_config();
        let tensors = tensors(config.tensors());
        Box::new(Dnabert::new(&config, tensors, &tokenizer(size)?, &options)?)
    } else {
        let config = size.esm2_config();
        Box::new(Esm2::new(&config, tensors(config.tensors()), &options)?)
    })
}

/// Sequences of uniform lengths.
pub(crate) fn sequences(shape: Shape, options: &Options) -> Vec<String> {
    let count = options.sequences.unwrap_or_else(|| shape.sequences());
    let mut draw = Draw::new("sequences");
    let (letters, lengths, word): (&[u8], _, _) = match shape {
        Shape::Dnabert => {
            let (from, to) = (options.tokens.start() - FRAME, options.tokens.end() - FRAME);
            (b"ACGT", from..=to, WORD)
        }
        _ => (b"LAGVSERTIDPKQNFYMHWC", options.residues.clone(), 1),
    };
    let sequence = |_| {
        let letters_count = draw.within(&lengths) * word;
        (0..letters_count).map(|_| draw.letter(letters)).collect()
    };
    (0..count).map(sequence).collect()
}

/// How many tokens an encoder of the shape makes of a sequence.
pub(crate) fn tokens(shape: Shape, sequence: &str) -> usize {
    FRAME + if shape == Shape::Dnabert { sequence.len() / WORD } else { sequence.len() }
}

/// Weights that keep vectors at their size; stored as f16, as published ones are.
pub(crate) fn tensors(specs: impl Iterator<Item = TensorSpec>) -> Tensors {
    let mut tensors = Tensors::default();
    for TensorSpec { name, shape } in specs {
        let count = shape.iter().product();
        let inputs = shape.get(1).copied();
        let is_norm = name.to_lowercase().contains("norm") && name.ends_with("weight");
        let values = match inputs {
            Some(_) if name.contains("embeddings") => Draw::new(&name).values(count, 1.0),
            Some(inputs) => Draw::new(&name).values(count, 1.0 / (inputs as f32).sqrt()),
            None if is_norm => vec![1.0; count],
            None => Draw::new(&name).values(count, 0.02),
        };
        tensors.insert_f16(name, &shape, &values);
    }
    tensors
}

/// The text of a `tokenizer.json` whose tokens are all words of five bases, from the fifth id on.
pub(crate) fn tokenizer(size: Size) -> Result<Vec<u8>> {
    let special = ["[UNK]", "[CLS]", "[SEP]", "[PAD]", "[MASK]"].map(str::to_owned);
    let bases = ["A", "C", "G", "T"];
    let words = (0..WORD).fold(vec![String::new()], |words, _| {
        words.iter().flat_map(|word| bases.map(|base| format!("{word}{base}"))).collect()
    });
    let tokens = special.into_iter().chain(words).take(size.vocabulary);
    let vocabulary: Map<String, Value> =
        tokens.enumerate().map(|(id, token)| (token, id.into())).collect();
    let frame = |token: &str, id: u32| json!({"id": token, "ids": [id], "tokens": [token]});
    let template = |token: &str| json!({"SpecialToken": {"id": token, "type_id": 0}});
    let sequence = |name: &str| json!({"Sequence": {"id": name, "type_id": 0}});
    let text = json!({
        "version": "1.0", "truncation": null, "padding": null, "added_tokens": [],
        "normalizer": null, "decoder": null,
        "pre_tokenizer": {"type": "Split", "behavior": "Isolated", "invert": false,
                          "pattern": {"Regex": format!(".{{{WORD}}}")}},
        "post_processor": {
            "type": "TemplateProcessing",
            "single": [template("[CLS]"), sequence("A"), template("[SEP]")],
            "pair": [template("[CLS]"), sequence("A"), template("[SEP]"), sequence("B")],
            "special_tokens": {"[CLS]": frame("[CLS]", 1), "[SEP]": frame("[SEP]", 2)}
        },
        "model": {"type": "WordLevel", "vocab": vocabulary, "unk_token": "[UNK]"}
    });
    Ok(serde_json::to_vec(&text)?)
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;

    #[test]
    fn encoders_count_the_same_work() {
        for shape in [Shape::T6, Shape::Dnabert] {
            let encoder = encoder(shape, Precision::F32).unwrap();
            let sequence = "ACGTT".repeat(20);
            let cost = encoder.cost(&[sequence.as_str()]).unwrap();
            let length = tokens(shape, &sequence);
            assert_eq!(cost.tokens, length as u64, "{shape:?}");
            let expected = shape.flops(length);
            assert!((cost.flops / expected - 1.0).abs() < 1e-9, "{shape:?}: {:e}", cost.flops);
        }
    }

    #[test]
    fn random_networks_give_finite_embeddings() {
        let t6 = encoder(Shape::T6, Precision::F32).unwrap();
        let embedding = t6.embed(&["MKVLAARND"]).unwrap();
        assert_eq!(embedding.len(), 320);
        assert!(embedding.iter().all(|x| x.is_finite() && x.abs() < 10.0));
    }

    #[test]
    fn sequences_repeat_and_keep_to_their_lengths() {
        let mut options = Options { sequences: Some(50), ..Options::parse_from(["bench"]) };
        let found = sequences(Shape::T6, &options);
        assert_eq!(found, sequences(Shape::T30, &options));
        assert!(found.iter().all(|sequence| (100..=166).contains(&sequence.len())));
        options.tokens = 90..=91;
        let mut lengths: Vec<_> =
            sequences(Shape::Dnabert, &options).iter().map(String::len).collect();
        lengths.sort_unstable();
        lengths.dedup();
        assert_eq!(lengths, [440, 445]);
    }
}
