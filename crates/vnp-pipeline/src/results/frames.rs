//! `prediction_results.txt`: the label and both scores of every ORF, as the published VirNucPro writes
//! them.

use std::path::PathBuf;

use vnp_job::Error;
use vnp_job::publish::{CompleteFile, Output};

use super::number::score_text;

/// `prediction_results.txt`: one row per scored frame, in input order.
#[derive(Debug)]
pub(crate) struct Frames(Output);

impl Frames {
    pub(crate) fn create(path: PathBuf) -> Result<Self, Error> {
        let mut output = Output::create(path)?;
        output.line("Sequence_ID\tPrediction\tscore1\tscore2")?;
        Ok(Self(output))
    }

    pub(crate) fn add(&mut self, mut id: Vec<u8>, [score1, score2]: [f32; 2]) -> Result<(), Error> {
        // A tie is not a virus here, although it is one in the consensus: the original does both.
        let prediction = if score2 > score1 { "virus" } else { "others" };
        let (score1, score2) = (score_text(score1), score_text(score2));
        id.extend(format!("\t{prediction}\t{score1}\t{score2}").as_bytes());
        self.0.row(id)
    }

    pub(crate) fn finish(self) -> Result<CompleteFile, Error> {
        self.0.finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_in_the_originals_format() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("p.txt");
        let mut frames = Frames::create(path.clone()).unwrap();
        frames.add(b"a_chunk_1F1".into(), [0.25, 0.75]).unwrap();
        frames.add(b"a_chunk_1R2".into(), [0.5, 0.5]).unwrap();
        frames.add(b"a_chunk_2F3".into(), [1.0, 1e-5]).unwrap();
        frames.finish().unwrap().publish().unwrap();
        let text = std::fs::read_to_string(path).unwrap();
        assert_eq!(
            text,
            "Sequence_ID\tPrediction\tscore1\tscore2\n\
             a_chunk_1F1\tvirus\t0.25\t0.75\n\
             a_chunk_1R2\tothers\t0.5\t0.5\n\
             a_chunk_2F3\tothers\t1.0\t1e-05\n"
        );
    }
}
