//! `chunks.tsv`: a table of the chunks of every record, with position, score, the evidence for it, and
//! the reason why there is none.

use std::io::Write as _;

use vnp_calls::numpy_text;
use vnp_job::Error;
use vnp_job::publish::{CompleteFile, Output};
use vnp_seq::ChunkPosition;

use super::evidence::Evidence;
use super::tally::{ChunkState, ChunkTally};
use crate::publishing::ChunkRows;

const COLUMNS: &str = "sequence_id\tchunk\tstart\tend\tvirus_score\tis_viral\tevidence\tframes\t\
                       s0_max\ts1_max\tstate\tchunk_id";

/// `chunks.tsv`: one row per chunk, in input order.
#[derive(Debug)]
pub(crate) struct Chunks {
    output: Output,
    rows: ChunkRows,
    /// Buffer of a row.
    row: Vec<u8>,
}

impl Chunks {
    /// With a last column for the input of each chunk, if there are several.
    pub(crate) fn create(
        mut output: Output,
        rows: ChunkRows,
        with_input: bool,
    ) -> Result<Self, Error> {
        let input = if with_input { "\tinput" } else { "" };
        output.line(format!("{COLUMNS}{input}"))?;
        Ok(Self { output, rows, row: Vec::new() })
    }

    /// Adds a chunk, if the table has those of its state.
    pub(crate) fn add(&mut self, chunk: &ChunkTally, evidence: Evidence) -> Result<(), Error> {
        let scores = chunk.largest().zip(chunk.virus_score());
        if scores.is_none() && self.rows != ChunkRows::All {
            return Ok(());
        }
        let ChunkPosition { index, start_bp, end_bp } = chunk.position;
        let row = &mut self.row;
        row.clear();
        row.extend_from_slice(&chunk.record.id);
        write!(row, "\t{}\t{}\t{end_bp}\t", index + 1, start_bp + 1)?;
        let state = chunk.state();
        if let Some(([s0, s1], score)) = scores {
            let is_viral = if state == ChunkState::Viral { "True" } else { "False" };
            let (evidence, frames) = (evidence.name(), chunk.frames);
            write!(row, "{score:.6}\t{is_viral}\t{evidence}\t{frames}\t")?;
            write!(row, "{}\t{}\t", numpy_text(s0), numpy_text(s1))?;
        } else {
            write!(row, "\t\t\t{}\t\t\t", chunk.frames)?;
        }
        write!(row, "{}\t", state.name())?;
        chunk.record.write_chunk_id(row, index);
        chunk.record.write_input(row);
        self.output.row(row)
    }

    pub(crate) fn finish(self) -> Result<CompleteFile, Error> {
        self.output.finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::results::name::RecordName;

    #[track_caller]
    fn check(rows: ChunkRows, expected: &str) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("c.tsv");
        let mut chunks =
            Chunks::create(Output::create(path.clone()).unwrap(), rows, false).unwrap();
        let tally = |frames: u32, scores: Option<[f32; 2]>| {
            let position = ChunkPosition { index: 2, start_bp: 499, end_bp: 999 };
            let mut tally = ChunkTally::new(RecordName::of_id("a"), position);
            tally.frames = frames;
            scores.into_iter().for_each(|scores| tally.add(scores));
            tally
        };
        chunks.add(&tally(0, Some([0.25, 0.75])), Evidence::NucleotideOnly).unwrap();
        chunks.add(&tally(0, None), Evidence::NucleotideOnly).unwrap();
        chunks.add(&tally(2, Some([0.9, 1e-5])), Evidence::Frames).unwrap();
        let mut failed = tally(6, None);
        failed.failed = 6;
        chunks.add(&failed, Evidence::Frames).unwrap();
        chunks.finish().unwrap().publish().unwrap();
        let text = std::fs::read_to_string(path).unwrap();
        assert_eq!(text.lines().next(), Some(COLUMNS));
        assert_eq!(text[COLUMNS.len() + 1..], *expected);
    }

    #[test]
    fn positions_are_those_of_people_and_every_chunk_has_a_state() {
        let scored = [
            "a\t3\t500\t999\t0.750000\tTrue\tdna_only\t0\t0.25\t0.75\tviral\ta_chunk_3\n",
            "a\t3\t500\t999\t0.000010\tFalse\tframes\t2\t0.9\t1e-05\tother\ta_chunk_3\n",
        ];
        check(ChunkRows::Scored, &scored.concat());
        let none = "a\t3\t500\t999\t\t\t\t0\t\t\tno_evidence\ta_chunk_3\n";
        let failed = "a\t3\t500\t999\t\t\t\t6\t\t\tfailed\ta_chunk_3\n";
        check(ChunkRows::All, &[scored[0], none, scored[1], failed].concat());
    }
}
