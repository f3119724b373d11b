//! The scores of a contig's chunks, gathered one after the other, in any order, into what its call needs.

use serde::{Deserialize, Serialize};

use crate::call::{CallOptions, ContigCall, Counts};
use crate::error::Error;
use crate::sum::ExactSum;

/// The scored chunks of one contig. Its size does not grow with them.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ContigScores {
    counts: Counts,
    /// The sum of delta times weight.
    weighted: ExactSum,
    /// The sum of the weights: the roots of the sizes of the deltas.
    weights: ExactSum,
}

impl ContigScores {
    /// Adds a chunk: the largest score of others (`s0`) and of virus (`s1`) over its frames, each 0 to 1.
    ///
    /// # Errors
    ///
    /// A score that is not finite: such a chunk was not scored.
    pub fn add(&mut self, s0: f32, s1: f32) -> Result<(), Error> {
        if !s0.is_finite() || !s1.is_finite() {
            return Err(Error::Score { s0, s1 });
        }
        // Widened exactly: 0.8 as f32 is above 0.8 as f64.
        let (s0, s1) = (f64::from(s0), f64::from(s1));
        let delta = s1 - s0;
        let weight = delta.abs().sqrt();
        self.weighted.add(delta * weight);
        self.weights.add(weight);
        self.counts.chunks += 1;
        self.counts.viral += u64::from(s1 > 0.8 && s0 < 0.3);
        self.counts.nonviral += u64::from(s0 > 0.8 && s1 < 0.3);
        self.counts.ambiguous += u64::from(s0 > 0.7 && s1 > 0.7);
        Ok(())
    }

    /// Adds the chunks of `other`, as if each had been added here.
    pub fn merge(&mut self, other: &Self) {
        self.weighted.merge(&other.weighted);
        self.weights.merge(&other.weights);
        self.counts.chunks += other.counts.chunks;
        self.counts.viral += other.counts.viral;
        self.counts.nonviral += other.counts.nonviral;
        self.counts.ambiguous += other.counts.ambiguous;
    }

    /// The number of chunks added.
    #[must_use]
    pub fn chunks(&self) -> u64 {
        self.counts.chunks
    }

    /// The call of the contig; none without a scored chunk, for which a table has no row.
    #[must_use]
    pub fn call(&self, options: &CallOptions) -> Option<ContigCall> {
        if self.counts.chunks == 0 {
            return None;
        }
        let weights = self.weights.value();
        // Every weight is 0 only where every delta is, and so is their plain mean.
        let delta = if weights == 0.0 { 0.0 } else { self.weighted.value() / weights };
        Some(ContigCall::new(delta, self.counts, options))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table::row;

    fn check(chunks: &[(f32, f32)], expected: &str) {
        let mut scores = ContigScores::default();
        let mut reversed = ContigScores::default();
        for (index, &(s0, s1)) in chunks.iter().enumerate() {
            scores.add(s0, s1).unwrap();
            let (s0, s1) = chunks[chunks.len() - 1 - index];
            let mut one = ContigScores::default();
            one.add(s0, s1).unwrap();
            reversed.merge(&one);
        }
        for scores in [scores, reversed] {
            let call = scores.call(&CallOptions::default()).unwrap();
            assert_eq!(row(&call).replace('\t', " "), expected, "{chunks:?}");
        }
    }

    /// Calls, tiers, and the numbers of a row; the values follow from the definitions by hand.
    #[test]
    fn calls_follow_the_definitions() {
        check(&[(0.1, 0.9); 5], "Viral high_confidence 0.8 5 5 0 0 1.0 0.0");
        check(&[(0.9, 0.1); 5], "Non-viral high_confidence -0.8 5 0 5 0 0.0 1.0");
        check(&[(0.1, 0.9); 4], "Viral low_confidence 0.8 4 4 0 0 1.0 0.0");
        check(&[(0.25, 0.75); 5], "Viral low_confidence 0.5 5 0 0 0 0.0 0.0");
        check(&[(0.25, 0.75); 4], "Viral review 0.5 4 0 0 0 0.0 0.0");
        check(&[(0.75, 0.25)], "Non-viral review -0.5 1 0 0 0 0.0 0.0");
        check(&[(0.5, 0.5); 5], "Ambiguous review 0.0 5 0 0 0 0.0 0.0");
        check(&[(0.5, 0.5)], "Ambiguous review 0.0 1 0 0 0 0.0 0.0");
        // All ambiguous: no chunk is left to be confident.
        check(&[(0.75, 0.75); 5], "Ambiguous review 0.0 5 0 0 5 0.0 0.0");
        // 0.8 as f32 is above 0.8, and 0.3 as f32 above 0.3: confident by one, not by the other. So is 0.6.
        check(&[(0.2, 0.8); 5], "Viral high_confidence 0.6 5 5 0 0 1.0 0.0");
        check(&[(0.3, 0.9); 5], "Viral low_confidence 0.6 5 0 0 0 0.0 0.0");
        // 0.7 as f32 is below 0.7.
        check(&[(0.7, 0.75); 5], "Ambiguous review 0.05 5 0 0 0 0.0 0.0");
        // One of 16: 0.0625 is a tie of the third decimal, and goes to the even digit.
        let mut tie = vec![(0.25, 0.75); 15];
        tie.push((0.125, 0.875));
        check(&tie, "Viral low_confidence 0.519 16 1 0 0 0.062 0.0");
        // A delta that rounds to zero from below.
        check(&[(0.5001, 0.5); 5], "Ambiguous review 0.0 5 0 0 0 0.0 0.0");
    }

    #[test]
    fn a_contig_without_a_scored_chunk_has_no_call() {
        assert_eq!(ContigScores::default().call(&CallOptions::default()), None);
        let mut scores = ContigScores::default();
        let error = scores.add(f32::NAN, 0.5).unwrap_err();
        assert!(error.to_string().contains("NaN"), "{error}");
        assert_eq!(scores.chunks(), 0);
    }
}
