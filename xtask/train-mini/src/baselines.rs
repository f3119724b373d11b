//! Two common classifiers on codon and residue composition, as baselines for `mini`.
//!
//! They learn from the chunks of the training and validation splits, with the same limit per group as in
//! the measurement. Both classes have the same weight, and a group of n chunks that of √n.

mod logistic;

use std::collections::HashMap;

use anyhow::{Context, Result};
use forust_ml::{GradientBooster, Matrix};
use vnp_seq::{ChunkLength, Orf};
use vnp_train::{Chunk, Split};

use super::chunks::Partition;

/// Shares of 64 codons and 20 residues.
const FEATURES: usize = 64 + 20;
const RESIDUES: &str = "ACDEFGHIKLMNPQRSTVWY";

/// The names of the baselines, in the order of [`scores`].
pub(crate) const NAMES: [&str; 2] = ["logistic regression", "gradient boosting"];

/// The scores of the frames of `test` by each baseline, `[score1, score2]` per frame.
pub(crate) fn scores(
    partition: &Partition<'_>,
    length: ChunkLength,
    most: usize,
    test: &[Chunk],
) -> Result<[Vec<[f32; 2]>; 2]> {
    let mut training = partition.with_orf(Split::Training, length, most);
    training.extend(partition.with_orf(Split::Validation, length, most));
    let rows = Rows::new(&training);
    let found = Rows::new(test);
    let logistic = logistic::fit(&rows.features, &rows.labels, &rows.weights);
    let logistic = found.features.iter().map(|row| logistic::probability(&logistic, row));
    let boosted = boosted(&rows, &found)?;
    let pair = |virus: f64| [(1.0 - virus) as f32, virus as f32];
    Ok([logistic.map(pair).collect(), boosted.into_iter().map(pair).collect()])
}

/// The features, labels and weights of frames.
struct Rows {
    features: Vec<Vec<f64>>,
    labels: Vec<f64>,
    weights: Vec<f64>,
}

impl Rows {
    fn new(chunks: &[Chunk]) -> Self {
        let mut sizes: HashMap<(bool, usize), f64> = HashMap::new();
        for chunk in chunks {
            *sizes.entry((chunk.is_virus, chunk.group)).or_default() += 1.0;
        }
        let frames =
            || chunks.iter().flat_map(|chunk| chunk.frames.iter().map(move |frame| (chunk, frame)));
        let weight = |chunk: &Chunk| 1.0 / sizes[&(chunk.is_virus, chunk.group)].sqrt();
        let mut totals = [0.0; 2];
        frames().for_each(|(chunk, _)| totals[usize::from(chunk.is_virus)] += weight(chunk));
        let count = frames().count() as f64;
        let share =
            |chunk: &Chunk| weight(chunk) / totals[usize::from(chunk.is_virus)] * count / 2.0;
        Self {
            features: frames().map(|(_, frame)| composition(frame)).collect(),
            labels: frames().map(|(chunk, _)| f64::from(chunk.is_virus)).collect(),
            weights: frames().map(|(chunk, _)| share(chunk)).collect(),
        }
    }
}

/// The shares of codons and residues in a frame.
fn composition(frame: &Orf) -> Vec<f64> {
    let mut counts = vec![0.0; FEATURES];
    let count = frame.protein.len().max(1) as f64;
    for codon in frame.nucleotide.as_bytes().chunks_exact(3).take(frame.protein.len()) {
        let digit = |letter: &u8| b"ACGT".iter().position(|base| base == letter);
        let code = codon.iter().try_fold(0, |code, letter| Some(4 * code + digit(letter)?));
        if let Some(code) = code {
            counts[code] += 1.0 / count;
        }
    }
    for residue in frame.protein.chars() {
        if let Some(index) = RESIDUES.find(residue) {
            counts[64 + index] += 1.0 / count;
        }
    }
    counts
}

/// Gradient boosted trees by `forust-ml`: 300 trees of 31 leaves at rate 0.05.
fn boosted(training: &Rows, test: &Rows) -> Result<Vec<f64>> {
    let columns = |rows: &Rows| -> Vec<f64> {
        (0..FEATURES).flat_map(|column| rows.features.iter().map(move |row| row[column])).collect()
    };
    let (data, found) = (columns(training), columns(test));
    let mut booster = GradientBooster::default()
        .set_iterations(300)
        .set_learning_rate(0.05)
        .set_max_depth(8)
        .set_max_leaves(31)
        .set_l2(1.0)
        .set_min_leaf_weight(5.0)
        .set_subsample(0.8)
        .set_colsample_bytree(0.5)
        .set_seed(1)
        .set_parallel(false);
    let matrix = Matrix::new(&data, training.labels.len(), FEATURES);
    booster.fit(&matrix, &training.labels, &training.weights, None).context("boosting")?;
    let logits = booster.predict(&Matrix::new(&found, test.labels.len(), FEATURES), false);
    Ok(logits.into_iter().map(|logit| 1.0 / (1.0 + (-logit).exp())).collect())
}

#[cfg(test)]
mod tests {
    use vnp_seq::find_orfs;

    use super::*;

    #[test]
    fn compositions_are_shares() {
        let frame = find_orfs(b"GCAGCCAAA").remove(0);
        let found = composition(&frame);
        let share = |index: usize| (found[index] * 3.0).round() as usize;
        // GCA, GCC, AAA; alanine twice, lysine once.
        assert_eq!([0b10_01_00, 0b10_01_01, 0, 64, 64 + 8].map(share), [1, 1, 1, 2, 1]);
        assert!((found.iter().sum::<f64>() - 2.0).abs() < 1e-9);
    }

    #[test]
    fn both_classifiers_learn_from_composition() {
        let chunk = |is_virus, group, codon: &str| Chunk {
            record: 0,
            group,
            split: Split::Training,
            is_virus,
            start_bp: 0,
            end_bp: 300,
            frames: find_orfs(codon.repeat(100).as_bytes()).into_iter().take(1).collect(),
        };
        let chunks: Vec<_> = (0..40)
            .flat_map(|group| [chunk(true, group, "GCA"), chunk(false, 40 + group, "AAA")])
            .collect();
        let rows = Rows::new(&chunks);
        let found = boosted(&rows, &rows).unwrap();
        for (score, label) in found.iter().zip(&rows.labels) {
            assert!((score - label).abs() < 0.2, "{score} {label}");
        }
        let weights = logistic::fit(&rows.features, &rows.labels, &rows.weights);
        for (row, label) in rows.features.iter().zip(&rows.labels) {
            assert!((logistic::probability(&weights, row) - label).abs() < 0.3);
        }
    }
}
