use std::path::PathBuf;

use vnp_seq::{RecordOutcome, RecordStatus};

use super::output::{Finished, Output};
use super::tally::RecordTally;
use crate::error::Error;

const HEADER: &str = "sequence_id\tlength_bp\tchunks\tchunks_scored\tframes\tviral_chunks\t\
                      virus_score\tis_virus\tviral_regions\tstatus\treason";

/// `sequences.tsv`: one row per input record, in input order, also for those without a prediction.
#[derive(Debug)]
pub(crate) struct Sequences(Output);

/// What became of a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Verdict {
    pub(crate) viral: bool,
    /// Why the record, or a part of it, failed.
    pub(crate) failure: Option<String>,
}

impl Sequences {
    pub(crate) fn create(path: PathBuf) -> Result<Self, Error> {
        let mut output = Output::create(path)?;
        output.line(HEADER)?;
        Ok(Self(output))
    }

    pub(crate) fn add(
        &mut self,
        record: &RecordOutcome,
        tally: &RecordTally,
    ) -> Result<Verdict, Error> {
        let (status, reason) = status(record, tally);
        let score = tally.virus_score();
        let viral = score.is_some_and(|score| score >= 0.5);
        let score_text = score.map(|score| format!("{score:.6}")).unwrap_or_default();
        let is_virus = match score {
            Some(_) if viral => "True",
            Some(_) => "False",
            None => "",
        };
        let RecordOutcome { id, length_bp, chunks, frames, .. } = record;
        let RecordTally { chunks_scored, viral_chunks, .. } = tally;
        let regions = tally.regions_text();
        self.0.row(&format!(
            "{id}\t{length_bp}\t{chunks}\t{chunks_scored}\t{frames}\t{viral_chunks}\t\
             {score_text}\t{is_virus}\t{regions}\t{status}\t{reason}"
        ))?;
        Ok(Verdict { viral, failure: (status == "failed").then_some(reason) })
    }

    pub(crate) fn finish(self) -> Result<Finished, Error> {
        self.0.finish()
    }
}

fn status(record: &RecordOutcome, tally: &RecordTally) -> (&'static str, String) {
    match &record.status {
        RecordStatus::Failed { reason } => ("failed", reason.clone()),
        RecordStatus::Empty => ("empty", "the record has no sequence".to_owned()),
        RecordStatus::TooShort => {
            ("too_short", format!("{} bp, shorter than one codon", record.length_bp))
        }
        RecordStatus::NoOpenFrame => {
            let chunks = record.chunks;
            ("no_open_frame", format!("no stop-free reading frame in {chunks} chunk(s)"))
        }
        RecordStatus::HasFrames if tally.failed_rows > 0 => {
            let (failed, frames) = (tally.failed_rows, record.frames);
            let reason =
                format!("{failed} of {frames} frame(s) gave an embedding that is not finite");
            ("failed", reason)
        }
        RecordStatus::HasFrames => ("scored", String::new()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(status: RecordStatus) -> RecordOutcome {
        RecordOutcome {
            record: 0,
            id: "r".into(),
            length_bp: 2,
            chunks: 1,
            chunks_with_frames: 1,
            frames: 3,
            status,
        }
    }

    #[track_caller]
    fn check(outcome: RecordStatus, failed_rows: u64, expected: &str, failed: bool) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("s.tsv");
        let mut sequences = Sequences::create(path.clone()).unwrap();
        let mut tally = RecordTally::default();
        tally.failed_rows = failed_rows;
        let verdict = sequences.add(&record(outcome), &tally).unwrap();
        sequences.finish().unwrap().publish().unwrap();
        let text = std::fs::read_to_string(path).unwrap();
        assert_eq!(text.lines().nth(1), Some(expected));
        assert_eq!(verdict.failure.is_some(), failed);
        let columns = |line: &str| line.split('\t').count();
        assert!(text.lines().all(|line| columns(line) == 11), "{text}");
    }

    #[test]
    fn every_record_has_a_row_with_its_reason() {
        let failed = RecordStatus::Failed { reason: "why".into() };
        check(failed, 0, "r\t2\t1\t0\t3\t0\t\t\t\tfailed\twhy", true);
        check(
            RecordStatus::Empty,
            0,
            "r\t2\t1\t0\t3\t0\t\t\t\tempty\tthe record has no sequence",
            false,
        );
        check(
            RecordStatus::TooShort,
            0,
            "r\t2\t1\t0\t3\t0\t\t\t\ttoo_short\t2 bp, shorter than one codon",
            false,
        );
        check(
            RecordStatus::NoOpenFrame,
            0,
            "r\t2\t1\t0\t3\t0\t\t\t\tno_open_frame\tno stop-free reading frame in 1 chunk(s)",
            false,
        );
        check(RecordStatus::HasFrames, 0, "r\t2\t1\t0\t3\t0\t\t\t\tscored\t", false);
        check(
            RecordStatus::HasFrames,
            2,
            "r\t2\t1\t0\t3\t0\t\t\t\tfailed\t2 of 3 frame(s) gave an embedding that is not finite",
            true,
        );
    }
}
