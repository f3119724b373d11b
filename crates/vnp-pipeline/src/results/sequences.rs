//! `sequences.tsv`: one row per input record, with its verdict or the reason why it has none.

use std::io::Write as _;

use vnp_job::Error;
use vnp_job::publish::{CompleteFile, Output};
use vnp_seq::{RecordOutcome, RecordStatus};

use super::evidence::Evidence;
use super::name::RecordName;
use super::status::Status;
use super::tally::RecordTally;

const COLUMNS: &str = "sequence_id\tlength_bp\tchunks\tchunks_scored\tframes\tviral_chunks\t\
                       virus_score\tis_virus\tviral_regions\tstatus";

/// `sequences.tsv`: one row per input record, in input order, also for those without a prediction.
#[derive(Debug)]
pub(crate) struct Sequences {
    output: Output,
    /// Whether a column shows what each score rests on.
    with_evidence: bool,
    /// Buffer of a row.
    row: Vec<u8>,
}

/// What became of a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Verdict {
    pub(crate) viral: bool,
    /// The column `status`.
    pub(crate) status: Status,
    /// What its score rests on, if it has one.
    pub(crate) evidence: Option<Evidence>,
    /// Why the record, or a part of it, failed.
    pub(crate) failure: Option<String>,
}

impl Sequences {
    /// With a column for the evidence of each score, and with a last one for the input of each
    /// record, if there are several.
    pub(crate) fn create(
        mut output: Output,
        with_evidence: bool,
        with_input: bool,
    ) -> Result<Self, Error> {
        let evidence = if with_evidence { "\tevidence" } else { "" };
        let input = if with_input { "\tinput" } else { "" };
        output.line(format!("{COLUMNS}{evidence}\treason{input}"))?;
        Ok(Self { output, with_evidence, row: Vec::new() })
    }

    /// Adds a record with the tally of its ORFs, or of its chunks where it has none.
    pub(crate) fn add(
        &mut self,
        name: &RecordName,
        record: &RecordOutcome,
        tally: &RecordTally,
    ) -> Result<Verdict, Error> {
        let (status, reason) = status(record, tally);
        let score = tally.virus_score();
        let evidence = score.map(|_| evidence(record));
        let viral = score.is_some_and(|score| score >= 0.5);
        let is_virus = match score {
            Some(_) if viral => "True",
            Some(_) => "False",
            None => "",
        };
        let RecordOutcome { length_bp, chunks, frames, .. } = record;
        let RecordTally { chunks_scored, viral_chunks, .. } = tally;
        let row = &mut self.row;
        row.clear();
        row.extend_from_slice(&name.id);
        write!(row, "\t{length_bp}\t{chunks}\t{chunks_scored}\t{frames}\t{viral_chunks}\t")?;
        if let Some(score) = score {
            write!(row, "{score:.6}")?;
        }
        write!(row, "\t{is_virus}\t{}\t{}\t", tally.regions_text(), status.name())?;
        if self.with_evidence {
            write!(row, "{}\t", evidence.map(Evidence::name).unwrap_or_default())?;
        }
        row.extend_from_slice(reason.as_bytes());
        name.write_input(row);
        self.output.row(row)?;
        Ok(Verdict {
            viral,
            evidence,
            status,
            failure: (status == Status::Failed).then_some(reason),
        })
    }

    pub(crate) fn finish(self) -> Result<CompleteFile, Error> {
        self.output.finish()
    }
}

/// What a record is judged by: its ORFs wherever it has any.
fn evidence(record: &RecordOutcome) -> Evidence {
    match record.status {
        RecordStatus::NoOrf => Evidence::NucleotideOnly,
        _ => Evidence::Frames,
    }
}

fn status(record: &RecordOutcome, tally: &RecordTally) -> (Status, String) {
    let failed_rows = |of: u64, what: &str| {
        let failed = tally.failed_rows;
        (Status::Failed, tally.failure(&format!("{failed} of {of} {what}(s)")))
    };
    match &record.status {
        RecordStatus::Failed { reason } => (Status::Failed, reason.clone()),
        RecordStatus::Empty => (Status::Empty, "the record has no sequence".to_owned()),
        RecordStatus::TooShort => {
            (Status::TooShort, format!("{} bp, shorter than one codon", record.length_bp))
        }
        RecordStatus::NoOrf if tally.failed_rows > 0 => failed_rows(record.chunks, "chunk"),
        RecordStatus::NoOrf if tally.chunks_scored > 0 => (Status::Scored, String::new()),
        RecordStatus::NoOrf => {
            let chunks = record.chunks;
            (Status::NoOpenFrame, format!("no stop-free reading frame in {chunks} chunk(s)"))
        }
        RecordStatus::HasFrames if tally.failed_rows > 0 => failed_rows(record.frames, "frame"),
        RecordStatus::HasFrames => (Status::Scored, String::new()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::results::ChunkTally;
    use vnp_job::parts::RowStatus as JobStatus;
    use vnp_seq::ChunkPosition;

    fn record(status: RecordStatus) -> RecordOutcome {
        RecordOutcome {
            record: Default::default(),
            length_bp: 2,
            chunks: 1,
            chunks_with_frames: 1,
            frames: 3,
            status,
        }
    }

    #[test]
    fn a_head_that_gives_no_score_is_named() {
        let mut tally = RecordTally::default();
        tally.add_failed(JobStatus::FailedInHead);
        let expected = "1 of 3 frame(s) gave a score that is not finite from embeddings that are: the \
                        head is the cause, not the embedding";
        assert_eq!(status(&record(RecordStatus::HasFrames), &tally).1, expected);
        tally.add_failed(JobStatus::Failed);
        let (name, reason) = status(&record(RecordStatus::HasFrames), &tally);
        assert_eq!(name, Status::Failed);
        let expected = "2 of 3 frame(s) gave no score: 1 an embedding that is not finite, 1 a score that \
                        is not finite from embeddings that are (the head is the cause)";
        assert_eq!(reason, expected);
    }

    #[track_caller]
    fn check(outcome: RecordStatus, failed_rows: u64, expected: &str, failed: bool) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("s.tsv");
        let mut sequences =
            Sequences::create(Output::create(path.clone()).unwrap(), false, false).unwrap();
        let mut tally = RecordTally::default();
        tally.failed_rows = failed_rows;
        let verdict = sequences.add(&RecordName::of_id("r"), &record(outcome), &tally).unwrap();
        assert_eq!(verdict.evidence, None);
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
            RecordStatus::NoOrf,
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

    #[track_caller]
    fn check_evidence(outcome: RecordStatus, scores: Option<[f32; 2]>, expected: &str) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("s.tsv");
        let mut sequences =
            Sequences::create(Output::create(path.clone()).unwrap(), true, false).unwrap();
        let (name, position) =
            (RecordName::of_id("r"), ChunkPosition { index: 0, start_bp: 0, end_bp: 2 });
        let mut chunk = ChunkTally::new(name.clone(), position);
        scores.into_iter().for_each(|scores| chunk.add(scores));
        let mut tally = RecordTally::default();
        tally.add(&chunk);
        tally.failed_rows = u64::from(scores.is_none());
        sequences.add(&name, &record(outcome), &tally).unwrap();
        sequences.finish().unwrap().publish().unwrap();
        let text = std::fs::read_to_string(path).unwrap();
        let mut lines = text.lines();
        assert!(lines.next().is_some_and(|header| header.ends_with("\tstatus\tevidence\treason")));
        assert_eq!(lines.next(), Some(expected));
    }

    #[test]
    fn a_score_says_what_it_rests_on() {
        let scores = Some([0.25, 0.75]);
        let dna_only = "r\t2\t1\t1\t3\t1\t0.750000\tTrue\t1-2\tscored\tdna_only\t";
        check_evidence(RecordStatus::NoOrf, scores, dna_only);
        let frames = "r\t2\t1\t1\t3\t1\t0.750000\tTrue\t1-2\tscored\tframes\t";
        check_evidence(RecordStatus::HasFrames, scores, frames);
        let reason = "1 of 1 chunk(s) gave an embedding that is not finite";
        let failed = format!("r\t2\t1\t0\t3\t0\t\t\t\tfailed\t\t{reason}");
        check_evidence(RecordStatus::NoOrf, None, &failed);
    }
}
