//! `prediction_results_highestscore.csv`: one verdict per chunk, as the published VirNucPro writes it,
//! sorted by name, or with scores and in input order.

use std::io::Write as _;
use std::path::Path;

use vnp_calls::python_text;
use vnp_job::Error;
use vnp_job::publish::{CompleteFile, Output};
use vnp_job::sorter::{Entry, Sorter};

use super::tally::ChunkTally;
use crate::publishing::Compat;

/// `prediction_results_highestscore.csv`: one row per chunk that its frames score.
#[derive(Debug)]
pub(crate) struct Consensus {
    output: Output,
    order: Order,
}

#[derive(Debug)]
enum Order {
    /// By id; chunks of one id in the order in which they come.
    Sorted { sorter: Sorter, chunks: u64 },
    /// As they come, with both scores. The buffer holds a row.
    AsTheyCome { row: Vec<u8> },
}

impl Consensus {
    /// Sorts through temporary files in `scratch`.
    pub(crate) fn create(
        mut output: Output,
        compat: Compat,
        scratch: &Path,
    ) -> Result<Self, Error> {
        let (columns, order) = match compat {
            Compat::Original => {
                let sorter = Sorter::new(scratch);
                ("Modified_ID\tIs_Virus", Order::Sorted { sorter, chunks: 0 })
            }
            Compat::Broad => {
                let row = Vec::new();
                ("Modified_ID\tIs_Virus\tmax_score_0\tmax_score_1", Order::AsTheyCome { row })
            }
        };
        output.line(columns)?;
        Ok(Self { output, order })
    }

    pub(crate) fn add(&mut self, chunk: &ChunkTally) -> Result<(), Error> {
        let Some((viral, [s0, s1])) = chunk.is_viral().zip(chunk.largest()) else { return Ok(()) };
        match &mut self.order {
            Order::Sorted { sorter, chunks } => {
                sorter.add(chunk.id(), *chunks << 1 | u64::from(viral))?;
                *chunks += 1;
                Ok(())
            }
            Order::AsTheyCome { row } => {
                row.clear();
                chunk.record.write_chunk_id(row, chunk.position.index);
                row.extend_from_slice(verdict(viral));
                write!(row, "\t{}\t{}", python_text(s0.into()), python_text(s1.into()))?;
                self.output.row(row)
            }
        }
    }

    pub(crate) fn finish(self) -> Result<CompleteFile, Error> {
        let Self { mut output, order } = self;
        if let Order::Sorted { sorter, .. } = order {
            for entry in sorter.finish()? {
                let Entry { key: mut line, value } = entry?;
                line.extend(verdict(value & 1 == 1));
                output.row(line)?;
            }
        }
        output.finish()
    }
}

fn verdict(viral: bool) -> &'static [u8] {
    if viral { b"\tTrue" } else { b"\tFalse" }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::results::name::RecordName;
    use vnp_seq::ChunkPosition;

    #[track_caller]
    fn check(compat: Compat, expected: &str) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("c.csv");
        let output = Output::create(path.clone()).unwrap();
        let mut consensus = Consensus::create(output, compat, dir.path()).unwrap();
        for (id, scores) in [
            ("b", [[0.25, 0.5], [0.125, 0.375]].as_slice()),
            ("c", &[]),
            ("a", &[[0.8, 0.1]]),
            ("b", &[[0.5, 0.5]]),
        ] {
            let position = ChunkPosition { index: 0, start_bp: 0, end_bp: 9 };
            let mut tally = ChunkTally::new(RecordName::of_id(id), position);
            scores.iter().for_each(|&scores| tally.add(scores));
            consensus.add(&tally).unwrap();
        }
        consensus.finish().unwrap().publish().unwrap();
        assert_eq!(std::fs::read_to_string(path).unwrap(), expected);
    }

    #[test]
    fn the_original_sorts_by_name_and_the_broad_institute_does_not() {
        check(
            Compat::Original,
            "Modified_ID\tIs_Virus\na_chunk_1\tFalse\nb_chunk_1\tTrue\nb_chunk_1\tTrue\n",
        );
        check(
            Compat::Broad,
            "Modified_ID\tIs_Virus\tmax_score_0\tmax_score_1\n\
             b_chunk_1\tTrue\t0.25\t0.5\n\
             a_chunk_1\tFalse\t0.800000011920929\t0.10000000149011612\n\
             b_chunk_1\tTrue\t0.5\t0.5\n",
        );
    }
}
