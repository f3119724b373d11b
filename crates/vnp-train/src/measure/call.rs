//! Calls: the verdict of the head on a frame or a chunk.

use crate::data::examples::{Examples, Row};
use crate::error::Error;
use crate::split::Split;

/// One frame or chunk: its label, and the verdict.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Call {
    /// Whether it is a virus.
    pub is_virus: bool,
    /// The index of its group, by which it is resampled.
    pub group: usize,
    /// The score, from 0 (other) to 1 (virus).
    pub score: f32,
    /// Whether it was called viral.
    pub is_viral: bool,
}

impl Call {
    /// Every frame of a split: called viral where score2 is larger than score1.
    ///
    /// # Errors
    /// [`Error::Mismatch`] where there is not one score per row, or one is not finite.
    pub(crate) fn of_frames(
        examples: &Examples,
        scores: &[[f32; 2]],
        split: Split,
    ) -> Result<Vec<Self>, Error> {
        let rows = scored(examples, scores, split)?;
        let call = |(row, [score1, score2]): (&Row, [f32; 2])| Self {
            is_virus: row.is_virus,
            group: row.group,
            score: score2,
            is_viral: score2 > score1,
        };
        Ok(rows.into_iter().map(call).collect())
    }

    /// Every chunk of a split that has a row, as `vnp predict` decides: its score is score2 of the
    /// frame with the largest score of either class, and it is called viral where the largest score2
    /// is at least the largest score1.
    ///
    /// # Errors
    /// [`Error::Mismatch`] where there is not one score per row, or one is not finite.
    pub fn of_chunks(
        examples: &Examples,
        scores: &[[f32; 2]],
        split: Split,
    ) -> Result<Vec<Self>, Error> {
        let rows = scored(examples, scores, split)?;
        let chunks = rows.chunk_by(|(one, _), (other, _)| one.chunk == other.chunk);
        Ok(chunks.filter_map(chunk_call).collect())
    }
}

fn chunk_call(rows: &[(&Row, [f32; 2])]) -> Option<Call> {
    let (first, _) = rows.first()?;
    let (mut largest, mut decided) = ([f32::NEG_INFINITY; 2], (f32::NEG_INFINITY, 0.0));
    for (_, [score1, score2]) in rows {
        largest = [largest[0].max(*score1), largest[1].max(*score2)];
        // The first of equal ones stays.
        if score1.max(*score2) > decided.0 {
            decided = (score1.max(*score2), *score2);
        }
    }
    let [score1, score2] = largest;
    Some(Call {
        is_virus: first.is_virus,
        group: first.group,
        score: decided.1,
        is_viral: score2 >= score1,
    })
}

/// The rows of a split with their scores.
fn scored<'a>(
    examples: &'a Examples,
    scores: &[[f32; 2]],
    split: Split,
) -> Result<Vec<(&'a Row, [f32; 2])>, Error> {
    let differ = |expected, found| Err(Error::Mismatch { what: "scores", expected, found });
    if scores.len() != examples.rows.len() {
        return differ(format!("{} rows", examples.rows.len()), scores.len().to_string());
    }
    let rows = examples.rows.iter().zip(scores);
    if let Some((row, _)) = rows.clone().find(|(_, score)| !score.iter().all(|x| x.is_finite())) {
        return differ(
            "finite values".to_owned(),
            format!("a value that is none for `{}`", row.id),
        );
    }
    let of_split = rows.filter(|(row, _)| examples.split(row) == Some(split));
    Ok(of_split.map(|(row, score)| (row, *score)).collect())
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::data::examples::Group;

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

    fn chunk(scores: &[[f32; 2]]) -> Option<(bool, f32)> {
        let row = Row { id: String::new(), chunk: 0, is_virus: true, group: 0 };
        let rows: Vec<_> = scores.iter().map(|scores| (&row, *scores)).collect();
        chunk_call(&rows).map(|call| (call.is_viral, call.score))
    }

    /// The same cases as in vnp-pipeline, which writes the results.
    #[test]
    fn a_chunk_is_viral_by_its_largest_scores_and_scored_by_its_most_decided_frame() {
        assert_eq!(chunk(&[]), None);
        assert_eq!(chunk(&[[0.9, 0.1]]), Some((false, 0.1)));
        assert_eq!(chunk(&[[0.5, 0.5]]), Some((true, 0.5)));
        assert_eq!(chunk(&[[0.9, 0.1], [0.05, 0.95]]), Some((true, 0.95)));
        assert_eq!(chunk(&[[0.99, 0.01], [0.05, 0.95]]), Some((false, 0.01)));
        assert_eq!(chunk(&[[0.2, 0.8], [0.8, 0.2]]), Some((true, 0.8)));
    }

    #[test]
    fn a_part_has_its_own_frames_and_chunks() {
        let splits = [Split::Training, Split::Test];
        let group = |split| Group { name: String::new(), kind: String::new(), split };
        let row =
            |(chunk, group)| Row { id: format!("f{chunk}"), chunk, is_virus: group == 1, group };
        let examples = Examples {
            rows: [(0, 0), (1, 1), (1, 1), (2, 1)].map(row).to_vec(),
            groups: splits.map(group).to_vec(),
            chunks: 3,
            ..Examples::default()
        };
        let scores = [[0.9, 0.1], [0.5, 0.5], [0.6, 0.4], [0.0, 1.0]];
        let called = |calls: Vec<Call>| {
            calls.iter().map(|call| (call.is_viral, call.score)).collect::<Vec<_>>()
        };
        let frames = Call::of_frames(&examples, &scores, Split::Test).unwrap();
        // Equal scores are of the others by frame.
        assert_eq!(called(frames), [(false, 0.5), (false, 0.4), (true, 1.0)]);
        let chunks = Call::of_chunks(&examples, &scores, Split::Test).unwrap();
        assert_eq!(called(chunks), [(false, 0.4), (true, 1.0)]);
        assert_eq!(Call::of_frames(&examples, &scores, Split::Training).unwrap().len(), 1);
        let Err(Error::Mismatch { what: "scores", .. }) =
            Call::of_frames(&examples, &scores[1..], Split::Test)
        else {
            panic!("three scores for four rows")
        };
        let wrong = [[f32::NAN; 2]; 4];
        let Err(Error::Mismatch { what: "scores", found, .. }) =
            Call::of_chunks(&examples, &wrong, Split::Test)
        else {
            panic!("NaN")
        };
        assert_eq!(found, "a value that is none for `f0`");
    }
}
