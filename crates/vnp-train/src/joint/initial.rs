//! The initial values of the encoders' parameters.

use vnp_infer::{DnabertConfig, Esm2Config, TensorSpec};

use crate::error::Error;
use crate::joint::setup::{DNABERT, ESM2, EncoderSetup};
use crate::learn::parameters::Parameters;
use crate::rng::Rng;

/// The suffix of the name of rotary frequencies in a bundle.
const FREQUENCIES: &str = "rotary_embeddings.inv_freq";
/// The deviation of token embeddings.
const TOKENS: f32 = 0.7;

/// Adds the tensors of both encoders.
pub(super) fn add(
    parameters: &mut Parameters,
    encoders: &EncoderSetup,
    seed: u64,
) -> Result<(), Error> {
    let EncoderSetup { dnabert, esm2, initial, .. } = encoders;
    if let Some(initial) = initial {
        for (name, shape, values) in initial.iter() {
            // Rotary frequencies are constants.
            if name.ends_with(FREQUENCIES) {
                parameters.insert_buffer(name, shape, values)?;
            } else {
                parameters.insert(name, shape, values)?;
            }
        }
        return Ok(());
    }
    for spec in dnabert.tensors() {
        let values = dnabert_values(&spec, dnabert, seed);
        parameters.insert(format!("{DNABERT}{}", spec.name), &spec.shape, &values)?;
    }
    for spec in esm2.tensors() {
        let values = esm2_values(&spec, esm2, seed);
        parameters.insert(format!("{ESM2}{}", spec.name), &spec.shape, &values)?;
    }
    Ok(())
}

fn dnabert_values(spec: &TensorSpec, config: &DnabertConfig, seed: u64) -> Vec<f32> {
    if spec.name == "embeddings.word_embeddings.weight" {
        return six_mers(config.vocab_size, config.hidden_size, seed);
    }
    if spec.name.contains("token_type") {
        return vec![0.0; spec.shape.iter().product()];
    }
    common(spec, DNABERT, seed)
}

fn esm2_values(spec: &TensorSpec, config: &Esm2Config, seed: u64) -> Vec<f32> {
    if spec.name == "embeddings.word_embeddings.weight" {
        let mut rng = Rng::new(seed, &format!("{ESM2}{}", spec.name));
        return (0..config.vocab_size * config.hidden_size).map(|_| rng.normal()).collect();
    }
    common(spec, ESM2, seed)
}

/// Norms are identities, biases are zero, weights are Xavier's.
fn common(spec: &TensorSpec, prefix: &str, seed: u64) -> Vec<f32> {
    let count = spec.shape.iter().product();
    match *spec.shape.as_slice() {
        [outputs, inputs] => {
            let mut rng = Rng::new(seed, &format!("{prefix}{}", spec.name));
            let bound = (6.0 / (inputs + outputs) as f64).sqrt();
            (0..count).map(|_| ((2.0 * rng.uniform() - 1.0) * bound) as f32).collect()
        }
        _ if spec.name.to_lowercase().contains("norm") && spec.name.ends_with("weight") => {
            vec![1.0; count]
        }
        _ => vec![0.0; count],
    }
}

/// Embeddings of 6-mers: the share of each of the two codons is the same in all 6-mers that have it at
/// that position, and a small share is the 6-mer's own, so that related 6-mers start out similar.
#[expect(clippy::indexing_slicing, reason = "there are 64 vectors of codons")]
fn six_mers(vocabulary: usize, hidden: usize, seed: u64) -> Vec<f32> {
    let mut rng = Rng::new(seed, "words");
    let mut draw = |count: usize, scale: f32| -> Vec<f32> {
        (0..count * hidden).map(|_| scale * rng.normal()).collect()
    };
    let (first, second) = (draw(64, TOKENS), draw(64, TOKENS));
    let mut vectors = draw(vocabulary, 0.1);
    for (id, vector) in vectors.chunks_exact_mut(hidden.max(1)).enumerate() {
        // After the five special tokens come the 6-mers, in the order of their two codons.
        let Some(token) = id.checked_sub(5).filter(|token| *token < 64 * 64) else { continue };
        for (codons, codon) in [(&first, token / 64), (&second, token % 64)] {
            let own = &codons[codon * hidden..(codon + 1) * hidden];
            vector.iter_mut().zip(own).for_each(|(x, share)| *x += share);
        }
    }
    vectors
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn six_mers_with_a_codon_in_common_are_alike() {
        let vectors = six_mers(4101, 64, 1);
        let vector = |first: usize, second: usize| {
            vectors.chunks(64).nth(5 + 64 * first + second).unwrap().to_vec()
        };
        let distance =
            |a: &[f32], b: &[f32]| -> f32 { a.iter().zip(b).map(|(a, b)| (a - b) * (a - b)).sum() };
        let base = vector(3, 9);
        assert!(distance(&base, &vector(3, 20)) < 0.75 * distance(&base, &vector(8, 20)));
        assert!(distance(&base, &vector(8, 9)) < 0.75 * distance(&base, &vector(9, 3)));
        assert_eq!(vectors, six_mers(4101, 64, 1));
        assert_ne!(vectors, six_mers(4101, 64, 2));
    }
}
