//! `chunks.tsv`: a table of every scored chunk with its position, its score and the evidence for it.

use std::path::PathBuf;

use vnp_job::Error;
use vnp_job::publish::{CompleteFile, Output};
use vnp_seq::ChunkPosition;

use super::evidence::Evidence;
use super::tally::ChunkTally;

/// `chunks.tsv`: one row per scored chunk, in input order, with what its score rests on.
#[derive(Debug)]
pub(crate) struct Chunks(Output);

impl Chunks {
    /// With a last column for the input of each chunk, if there are several.
    pub(crate) fn create(path: PathBuf, with_input: bool) -> Result<Self, Error> {
        let mut output = Output::create(path)?;
        let input = if with_input { "\tinput" } else { "" };
        let columns = "sequence_id\tchunk\tstart\tend\tvirus_score\tis_viral\tevidence";
        output.line(format!("{columns}{input}"))?;
        Ok(Self(output))
    }

    /// Adds a chunk, unless none of its rows could be computed.
    pub(crate) fn add(&mut self, chunk: &ChunkTally, evidence: Evidence) -> Result<(), Error> {
        let (Some(viral), Some(score)) = (chunk.is_viral(), chunk.virus_score()) else {
            return Ok(());
        };
        let ChunkPosition { index, start_bp, end_bp } = chunk.position;
        let is_viral = if viral { "True" } else { "False" };
        self.0.row(chunk.record.row(&format!(
            "{}\t{}\t{end_bp}\t{score:.6}\t{is_viral}\t{}",
            index + 1,
            start_bp + 1,
            evidence.name(),
        )))
    }

    pub(crate) fn finish(self) -> Result<CompleteFile, Error> {
        self.0.finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::results::RecordName;

    #[test]
    fn positions_are_those_of_people() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("c.tsv");
        let mut chunks = Chunks::create(path.clone(), false).unwrap();
        let tally = |scores: Option<[f32; 2]>| {
            let position = ChunkPosition { index: 2, start_bp: 499, end_bp: 999 };
            let mut tally = ChunkTally::new(RecordName::of_id("a_chunk_1"), position);
            scores.into_iter().for_each(|scores| tally.add(scores));
            tally
        };
        chunks.add(&tally(Some([0.25, 0.75])), Evidence::NucleotideOnly).unwrap();
        chunks.add(&tally(None), Evidence::NucleotideOnly).unwrap();
        chunks.add(&tally(Some([0.9, 0.1])), Evidence::Frames).unwrap();
        chunks.finish().unwrap().publish().unwrap();
        assert_eq!(
            std::fs::read_to_string(path).unwrap(),
            "sequence_id\tchunk\tstart\tend\tvirus_score\tis_viral\tevidence\n\
             a_chunk_1\t3\t500\t999\t0.750000\tTrue\tdna_only\n\
             a_chunk_1\t3\t500\t999\t0.100000\tFalse\tframes\n"
        );
    }
}
