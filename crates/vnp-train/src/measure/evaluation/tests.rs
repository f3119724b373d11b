//! The metrics of a split whose calls are known.

use super::*;
use crate::data::examples::Row;
use crate::data::examples::tests::examples;

#[test]
fn a_part_is_evaluated_by_frame_by_chunk_and_by_kind() {
    let examples = examples(1);
    // Right but for the first viral chunk of the test split, which is row 200 and 201.
    let score = |(row, meta): (usize, &Row)| {
        let is_right = !(200..202).contains(&row);
        if meta.is_virus == is_right { [0.1, 0.9] } else { [0.9, 0.1] }
    };
    let scores: Vec<_> = examples.rows.iter().enumerate().map(score).collect();
    let found = Evaluation::of(&examples, &scores, Split::Test).unwrap();
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
    let training = Evaluation::of(&examples, &scores, Split::Training).unwrap();
    assert_eq!(training.chunks.accuracy, Some(1.0));
    assert_eq!((training.chunks.viral_groups, training.chunks.other_groups), (4, 4));
}
