use super::*;
use crate::examples::tests::examples;

/// Calls at 0.5, each class one group.
pub(crate) fn calls(viral: &[f32], other: &[f32]) -> Vec<Call> {
    let call = |is_virus: bool| {
        move |score: &f32| Call {
            is_virus,
            group: usize::from(is_virus),
            score: *score,
            is_viral: *score > 0.5,
        }
    };
    viral.iter().map(call(true)).chain(other.iter().map(call(false))).collect()
}

#[test]
fn a_part_is_evaluated_by_frame_by_chunk_and_by_kind() {
    let examples = examples(1);
    // Right but for the first viral chunk of the test part, which is row 200 and 201.
    let score = |(row, meta): (usize, &crate::Row)| {
        let is_right = !(200..202).contains(&row);
        if meta.is_virus == is_right { [0.1, 0.9] } else { [0.9, 0.1] }
    };
    let scores: Vec<_> = examples.rows.iter().enumerate().map(score).collect();
    let found = evaluate(&examples, &scores, Part::Test).unwrap();
    let count = |metrics: &Metrics| {
        let Confusion { true_viral, false_viral, true_other, false_other } = metrics.confusion;
        [true_viral, false_viral, true_other, false_other]
    };
    assert_eq!(count(&found.frames), [18, 0, 20, 2]);
    assert_eq!(count(&found.chunks), [9, 0, 10, 1]);
    assert_eq!((found.chunks.viral_groups, found.chunks.other_groups), (1, 1));
    assert_eq!(found.chunks.recall, Some(0.9));
    assert_eq!(found.chunks.auroc, Some(0.95));
    let kinds: Vec<_> =
        found.kinds.iter().map(|k| (k.kind.as_str(), k.is_virus, k.chunks, k.accuracy)).collect();
    let expected = [("phage", true, 10, Some(0.9)), ("bacterium", false, 10, Some(1.0))];
    assert_eq!(kinds, expected);
    let training = evaluate(&examples, &scores, Part::Training).unwrap();
    assert_eq!(training.chunks.accuracy, Some(1.0));
    assert_eq!((training.chunks.viral_groups, training.chunks.other_groups), (4, 4));
}

#[test]
fn all_rows_are_scored_in_order() {
    let examples = examples(1);
    let mut tensors = vnp_infer::Tensors::default();
    tensors.insert_f32("hidden_layer.weight", &[1, 4], &[0.5, -0.5, 0.25, 1.0]);
    for (name, value) in [
        ("hidden_layer.bias", 0.1),
        ("bn1.weight", 1.0),
        ("bn1.bias", 0.0),
        ("bn1.running_mean", 0.0),
        ("bn1.running_var", 1.0),
    ] {
        tensors.insert_f32(name, &[1], &[value]);
    }
    tensors.insert_f32("output_layer.weight", &[2, 1], &[1.0, -1.0]);
    tensors.insert_f32("output_layer.bias", &[2], &[0.0, 0.0]);
    let head = vnp_infer::Head::new(tensors, 3, 1).unwrap();
    let scores = score(&examples, &head).unwrap();
    assert_eq!(scores.len(), 240);
    let (nucleotide, protein) = examples.row(117).split_at(3);
    assert_eq!(scores[117], head.score(nucleotide, protein).unwrap()[0]);
}
