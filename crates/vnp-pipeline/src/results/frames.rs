//! `prediction_results.txt`: the label and both scores of every ORF, as the published VirNucPro writes
//! them.

use std::io::Write as _;

use vnp_calls::numpy_text;
use vnp_job::Error;
use vnp_job::publish::{CompleteFile, Output};
use vnp_seq::FrameRow;

use super::name::RecordName;

/// `prediction_results.txt`: one row per scored frame, in input order.
#[derive(Debug)]
pub(crate) struct Frames {
    output: Output,
    /// Buffer of a row.
    row: Vec<u8>,
}

impl Frames {
    pub(crate) fn create(mut output: Output) -> Result<Self, Error> {
        output.line("Sequence_ID\tPrediction\tscore1\tscore2")?;
        Ok(Self { output, row: Vec::new() })
    }

    pub(crate) fn add(
        &mut self,
        record: &RecordName,
        frame: &FrameRow,
        [score1, score2]: [f32; 2],
    ) -> Result<(), Error> {
        // A tie is not a virus here, although it is one in the consensus: the original does both.
        let prediction = if score2 > score1 { "virus" } else { "others" };
        let (score1, score2) = (numpy_text(score1), numpy_text(score2));
        let row = &mut self.row;
        row.clear();
        record.write_frame_id(row, frame.chunk.index, frame.frame);
        write!(row, "\t{prediction}\t{score1}\t{score2}")?;
        self.output.row(row)
    }

    pub(crate) fn finish(self) -> Result<CompleteFile, Error> {
        self.output.finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use vnp_seq::{ChunkPosition, Frame};

    #[test]
    fn rows_are_in_the_originals_format() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("p.txt");
        let mut frames = Frames::create(Output::create(path.clone()).unwrap()).unwrap();
        for (index, frame, scores) in
            [(0, Frame::F1, [0.25, 0.75]), (0, Frame::R2, [0.5, 0.5]), (1, Frame::F3, [1.0, 1e-5])]
        {
            let row = FrameRow {
                id: String::new(),
                record: std::sync::Arc::default(),
                chunk: ChunkPosition { index, start_bp: 0, end_bp: 3 },
                frame,
                nucleotide: String::new(),
                protein: String::new(),
            };
            frames.add(&RecordName::of_id("a"), &row, scores).unwrap();
        }
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
