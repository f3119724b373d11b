//! Scores gathered from ORFs to chunks and from chunks to records: when a chunk or a record is viral.

use std::sync::Arc;

use vnp_job::parts::RowStatus;
use vnp_seq::ChunkPosition;

use super::name::RecordName;

/// What is known of a chunk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ChunkState {
    /// It is scored, and viral.
    Viral,
    /// It is scored, and not viral.
    Other,
    /// It has nothing that was to be scored.
    NoEvidence,
    /// None of what was to be scored could be computed.
    Failed,
}

impl ChunkState {
    /// The word in the table.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Viral => "viral",
            Self::Other => "other",
            Self::NoEvidence => "no_evidence",
            Self::Failed => "failed",
        }
    }
}

/// The scores of one chunk, added up: those of its frames, or one of its own.
#[derive(Clone, Debug)]
pub(crate) struct ChunkTally {
    /// The record that the chunk is of.
    pub(crate) record: Arc<RecordName>,
    pub(crate) position: ChunkPosition,
    /// Its frames without a stop: ORFs.
    pub(crate) frames: u32,
    /// Rows of it that could not be computed.
    pub(crate) failed: u32,
    /// Largest score1 and largest score2 over the scored frames.
    largest: Option<[f32; 2]>,
    /// Score2 of the most decided frame, and how decided it is.
    decided: Option<(f32, f32)>,
}

impl ChunkTally {
    pub(crate) fn new(record: Arc<RecordName>, position: ChunkPosition) -> Self {
        Self { record, position, frames: 0, failed: 0, largest: None, decided: None }
    }

    /// Id of the chunk.
    pub(crate) fn id(&self) -> Vec<u8> {
        let mut id = Vec::new();
        self.record.write_chunk_id(&mut id, self.position.index);
        id
    }

    pub(crate) fn add(&mut self, [score1, score2]: [f32; 2]) {
        let [largest1, largest2] = self.largest.unwrap_or([f32::NEG_INFINITY; 2]);
        self.largest = Some([largest1.max(score1), largest2.max(score2)]);
        let decided = score1.max(score2);
        // The first of equals stays, so that the order of frames decides a tie.
        if self.decided.is_none_or(|(_, most)| decided > most) {
            self.decided = Some((score2, decided));
        }
    }

    /// The largest score1 and the largest score2, which need not be of one frame. Nothing if no frame
    /// has scores.
    pub(crate) fn largest(&self) -> Option<[f32; 2]> {
        self.largest
    }

    /// What is known of the chunk.
    pub(crate) fn state(&self) -> ChunkState {
        match self.is_viral() {
            Some(true) => ChunkState::Viral,
            Some(false) => ChunkState::Other,
            None if self.failed > 0 => ChunkState::Failed,
            None => ChunkState::NoEvidence,
        }
    }

    /// Whether the chunk is viral, as the original decides: the largest score2 is no smaller than
    /// the largest score1. Nothing if no frame has scores.
    pub(crate) fn is_viral(&self) -> Option<bool> {
        self.largest.map(|[score1, score2]| score2 >= score1)
    }

    /// Score2 of the frame with the largest max(score1, score2).
    pub(crate) fn virus_score(&self) -> Option<f32> {
        self.decided.map(|(score2, _)| score2)
    }
}

/// The chunks of one record, added up.
#[derive(Clone, Debug, Default)]
pub(crate) struct RecordTally {
    pub(crate) chunks_scored: u64,
    pub(crate) viral_chunks: u64,
    pub(crate) failed_rows: u64,
    /// Those of them whose embeddings are finite: the head failed.
    failed_in_head: u64,
    sum: f64,
    /// Half-open in bp, merged where they touch or overlap.
    regions: Vec<(u64, u64)>,
}

impl RecordTally {
    pub(crate) fn add(&mut self, chunk: &ChunkTally) {
        let (Some(viral), Some(score)) = (chunk.is_viral(), chunk.virus_score()) else { return };
        self.chunks_scored += 1;
        self.sum += f64::from(score);
        if !viral {
            return;
        }
        self.viral_chunks += 1;
        let ChunkPosition { start_bp, end_bp, .. } = chunk.position;
        match self.regions.last_mut() {
            Some((_, end)) if start_bp <= *end => *end = end_bp.max(*end),
            _ => self.regions.push((start_bp, end_bp)),
        }
    }

    /// Counts a row without scores.
    pub(crate) fn add_failed(&mut self, status: RowStatus) {
        self.failed_rows += 1;
        self.failed_in_head += u64::from(status == RowStatus::FailedInHead);
    }

    /// The reason why rows failed; `rows` says which.
    pub(crate) fn failure(&self, rows: &str) -> String {
        let in_head = self.failed_in_head;
        match self.failed_rows.saturating_sub(in_head) {
            _ if in_head == 0 => format!("{rows} gave an embedding that is not finite"),
            0 => format!(
                "{rows} gave a score that is not finite from embeddings that are: the head is the cause, \
                 not the embedding"
            ),
            embeddings => format!(
                "{rows} gave no score: {embeddings} an embedding that is not finite, {in_head} a score \
                 that is not finite from embeddings that are (the head is the cause)"
            ),
        }
    }

    /// Mean over the scored chunks of the most decided frame's score2.
    pub(crate) fn virus_score(&self) -> Option<f64> {
        #[expect(clippy::cast_precision_loss, reason = "a record has far fewer than 2^52 chunks")]
        let chunks = self.chunks_scored as f64;
        (self.chunks_scored > 0).then(|| self.sum / chunks)
    }

    /// The viral regions as 1-based, closed `start-end`, separated by commas.
    pub(crate) fn regions_text(&self) -> String {
        let region = |&(start, end): &(u64, u64)| format!("{}-{end}", start + 1);
        self.regions.iter().map(region).collect::<Vec<_>>().join(",")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chunk(start_bp: u64, end_bp: u64, scores: &[[f32; 2]]) -> ChunkTally {
        let position = ChunkPosition { index: 0, start_bp, end_bp };
        let mut tally = ChunkTally::new(RecordName::of_id("r"), position);
        assert_eq!(tally.id(), b"r_chunk_1");
        for &scores in scores {
            tally.add(scores);
        }
        tally
    }

    #[track_caller]
    fn check_chunk(scores: &[[f32; 2]], viral: Option<bool>, score: Option<f32>) {
        let tally = chunk(0, 500, scores);
        assert_eq!((tally.is_viral(), tally.virus_score()), (viral, score), "{scores:?}");
    }

    #[test]
    fn a_chunk_is_viral_by_its_largest_scores_and_scored_by_its_most_decided_frame() {
        check_chunk(&[], None, None);
        check_chunk(&[[0.9, 0.1]], Some(false), Some(0.1));
        check_chunk(&[[0.5, 0.5]], Some(true), Some(0.5));
        check_chunk(&[[0.9, 0.1], [0.05, 0.95]], Some(true), Some(0.95));
        check_chunk(&[[0.99, 0.01], [0.05, 0.95]], Some(false), Some(0.01));
        check_chunk(&[[0.2, 0.8], [0.8, 0.2]], Some(true), Some(0.8));
    }

    #[test]
    fn a_record_is_the_mean_of_its_chunks_and_merges_viral_regions() {
        let mut record = RecordTally::default();
        for (start, end, scores) in [
            (0, 500, [0.1, 0.9]),
            (499, 999, [0.2, 0.8]),
            (999, 1499, [0.3, 0.7]),
            (1499, 1999, [0.9, 0.1]),
            (1999, 2400, [0.0, 1.0]),
        ] {
            record.add(&chunk(start, end, &[scores]));
        }
        record.add(&chunk(2400, 2900, &[]));
        assert_eq!((record.chunks_scored, record.viral_chunks), (5, 4));
        assert_eq!(record.regions_text(), "1-1499,2000-2400");
        assert!((record.virus_score().unwrap() - 0.7).abs() < 1e-6);
    }

    #[test]
    fn a_record_without_scored_chunks_has_no_score() {
        assert_eq!(RecordTally::default().virus_score(), None);
        assert_eq!(RecordTally::default().regions_text(), "");
    }
}
