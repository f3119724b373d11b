//! `contig_calls.tsv` as a stream: chunks go in, in the order of the input, and rows come out.
//!
//! Without a pattern a record is a contig, and its row is written as soon as the next record begins. With
//! one, chunks of a group may stand anywhere in the input. What is known of a group is gathered for as long
//! as its chunks follow each other, then sorted on disk by group, merged (exactly, see [`ExactSum`]), and
//! sorted by the group's first chunk. Memory is bounded either way, however many groups there are.
//!
//! [`ExactSum`]: crate::ExactSum

use std::io::Write;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::call::{Call, CallOptions};
use crate::contig::ContigScores;
use crate::error::Error;
use crate::keyed::{Keyed, Merge};
use crate::pattern::GroupPattern;
use crate::table::{write_header, write_row};

/// Memory for what is sorted.
const BUFFER_BYTES: usize = 4 << 20;

/// Writes `contig_calls.tsv`, the header at once.
///
/// ```
/// use vnp_calls::{CallOptions, ContigTable};
///
/// let mut table = ContigTable::new(Vec::new(), CallOptions::default())?;
/// table.begin_record(b"contig_1")?;
/// for chunk in 1..=5 {
///     table.chunk(chunk, 0.1, 0.9)?;
/// }
/// let (text, summary) = table.finish()?;
/// assert!(text.ends_with(b"contig_1\tViral\thigh_confidence\t0.8\t5\t5\t0\t0\t1.0\t0.0\n"));
/// assert_eq!(summary.viral, 1);
/// # Ok::<(), vnp_calls::Error>(())
/// ```
#[derive(Debug)]
pub struct ContigTable<W> {
    rows: Rows<W>,
    /// The id of the current record; none before the first.
    record: Option<Vec<u8>>,
    /// The scored chunks of the current record, or of the current group.
    scores: ContigScores,
    groups: Option<Groups>,
}

/// What a table holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ContigSummary {
    /// Rows below the header.
    pub rows: u64,
    /// Contigs called viral.
    pub viral: u64,
    /// Contigs called non-viral.
    pub nonviral: u64,
    /// Contigs called ambiguous.
    pub ambiguous: u64,
    /// Scored chunks whose id does not match the pattern: they are in no row.
    pub unmatched_chunks: u64,
}

/// Where rows go.
#[derive(Debug)]
struct Rows<W> {
    out: W,
    options: CallOptions,
    summary: ContigSummary,
}

/// Groups that a pattern makes of chunks.
#[derive(Debug)]
struct Groups {
    pattern: GroupPattern,
    /// The group whose chunks are being added, and the record of its first one.
    current: Option<(Vec<u8>, Vec<u8>)>,
    streaks: Keyed,
}

/// Chunks of one group that follow each other.
#[derive(Debug, Serialize, Deserialize)]
struct Streak {
    /// The record of the first chunk.
    id: Vec<u8>,
    scores: ContigScores,
}

impl Merge for Streak {
    fn merge(&mut self, later: Self) {
        self.scores.merge(&later.scores);
    }
}

impl<W: Write> ContigTable<W> {
    /// Begins a table in which every record is a contig. Records of the same id each have a row.
    ///
    /// # Errors
    ///
    /// [`Error::Io`]: `out` fails.
    pub fn new(mut out: W, options: CallOptions) -> Result<Self, Error> {
        write_header(&mut out)?;
        let rows = Rows { out, options, summary: ContigSummary::default() };
        Ok(Self { rows, record: None, scores: ContigScores::default(), groups: None })
    }

    /// Begins a table in which a contig is a group: the chunks in whose ids, `RECORD_chunk_N`, the first
    /// group of `pattern` is the same. A contig's id is the record of the group's first chunk, and contigs
    /// have the order of their first chunks. Chunks that do not match are counted and left out. `scratch`
    /// is a directory for unnamed temporary files.
    ///
    /// # Errors
    ///
    /// [`Error::Io`]: `out` fails.
    pub fn grouped(
        out: W,
        options: CallOptions,
        pattern: GroupPattern,
        scratch: &Path,
    ) -> Result<Self, Error> {
        let streaks = Keyed::new(scratch, BUFFER_BYTES);
        let groups = Groups { pattern, current: None, streaks };
        Ok(Self { groups: Some(groups), ..Self::new(out, options)? })
    }

    /// Begins a record, whose chunks follow. Its id is written as it is.
    ///
    /// # Errors
    ///
    /// [`Error::Io`]: `out` fails.
    pub fn begin_record(&mut self, id: &[u8]) -> Result<(), Error> {
        if self.groups.is_none() {
            self.end_contig()?;
        }
        let record = self.record.get_or_insert_default();
        record.clear();
        record.extend_from_slice(id);
        Ok(())
    }

    /// Adds a scored chunk of the current record: its number, counted from 1, as in its id, and the largest
    /// scores of others (`s0`) and of virus (`s1`) over its frames, each 0 to 1.
    ///
    /// # Errors
    ///
    /// [`Error::NoRecord`] before the first record; [`Error::Score`]; [`Error::Io`]: a temporary file
    /// cannot be written.
    pub fn chunk(&mut self, number: u64, s0: f32, s1: f32) -> Result<(), Error> {
        let record = self.record.as_ref().ok_or(Error::NoRecord)?;
        if let Some(groups) = &mut self.groups {
            let id = [record.as_slice(), format!("_chunk_{number}").as_bytes()].concat();
            let Some(group) = groups.pattern.group(&id) else {
                self.rows.summary.unmatched_chunks += 1;
                return Ok(());
            };
            if groups.current.as_ref().is_none_or(|(current, _)| current != group) {
                groups.end_streak(std::mem::take(&mut self.scores))?;
                groups.current = Some((group.to_vec(), record.clone()));
            }
        }
        self.scores.add(s0, s1)
    }

    /// Writes what is left, and gives `out` back, which is not flushed.
    ///
    /// # Errors
    ///
    /// [`Error::Io`]: `out` or a temporary file fails.
    pub fn finish(mut self) -> Result<(W, ContigSummary), Error> {
        match self.groups.take() {
            None => self.end_contig()?,
            Some(mut groups) => {
                groups.end_streak(std::mem::take(&mut self.scores))?;
                let rows = &mut self.rows;
                groups.streaks.finish(|Streak { id, scores }| rows.write(&id, &scores))?;
            }
        }
        Ok((self.rows.out, self.rows.summary))
    }

    fn end_contig(&mut self) -> Result<(), Error> {
        let scores = std::mem::take(&mut self.scores);
        match &self.record {
            Some(id) => self.rows.write(id, &scores),
            None => Ok(()),
        }
    }
}

impl<W: Write> Rows<W> {
    /// Writes the row of a contig, unless none of its chunks was scored.
    fn write(&mut self, id: &[u8], scores: &ContigScores) -> Result<(), Error> {
        let Some(call) = scores.call(&self.options) else { return Ok(()) };
        self.summary.rows += 1;
        match call.call {
            Call::Viral => self.summary.viral += 1,
            Call::NonViral => self.summary.nonviral += 1,
            Call::Ambiguous => self.summary.ambiguous += 1,
        }
        Ok(write_row(&mut self.out, id, &call)?)
    }
}

impl Groups {
    /// Hands the chunks of the current group on.
    fn end_streak(&mut self, scores: ContigScores) -> Result<(), Error> {
        match self.current.take() {
            Some((group, id)) => self.streaks.add(&group, &Streak { id, scores }),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    type Chunk = (&'static str, u64, f32, f32);

    fn text(table: ContigTable<Vec<u8>>, records: &[&[Chunk]]) -> (String, ContigSummary) {
        let mut table = table;
        for chunks in records {
            for (index, &(id, number, s0, s1)) in chunks.iter().enumerate() {
                if index == 0 {
                    table.begin_record(id.as_bytes()).unwrap();
                }
                table.chunk(number, s0, s1).unwrap();
            }
        }
        let (text, summary) = table.finish().unwrap();
        let text = String::from_utf8(text).unwrap();
        let columns = |line: &str| line.split('\t').take(5).collect::<Vec<_>>().join(" ");
        (text.lines().skip(1).map(columns).collect::<Vec<_>>().join("\n"), summary)
    }

    const A: &[Chunk] = &[("a_NODE_1", 1, 0.1, 0.9), ("a_NODE_1", 2, 0.1, 0.9)];
    const B: &[Chunk] = &[("a_NODE_2", 1, 0.9, 0.1)];
    const C: &[Chunk] = &[("k141", 1, 0.9, 0.1)];

    #[test]
    fn every_record_is_a_contig() {
        let table = ContigTable::new(Vec::new(), CallOptions::default()).unwrap();
        let (rows, summary) = text(table, &[A, B, A]);
        let a = "a_NODE_1 Viral low_confidence 0.8 2";
        assert_eq!(rows, format!("{a}\na_NODE_2 Non-viral low_confidence -0.8 1\n{a}"));
        let expected = ContigSummary { rows: 3, viral: 2, nonviral: 1, ..Default::default() };
        assert_eq!(summary, expected);
    }

    #[test]
    fn a_pattern_merges_chunks_wherever_they_stand() {
        let dir = tempfile::tempdir().unwrap();
        let grouped = |pattern: &str| {
            let pattern = pattern.parse().unwrap();
            ContigTable::grouped(Vec::new(), CallOptions::default(), pattern, dir.path()).unwrap()
        };
        let (rows, summary) = text(grouped("(NODE_[0-9]+)"), &[B, A, C, A, B]);
        assert_eq!(
            rows,
            "a_NODE_2 Non-viral low_confidence -0.8 2\na_NODE_1 Viral low_confidence 0.8 4"
        );
        assert_eq!((summary.rows, summary.unmatched_chunks), (2, 1));
        // The group is sought in the id of the chunk.
        let (rows, _) = text(grouped("chunk_(.)"), &[A, B]);
        assert_eq!(rows, "a_NODE_1 Ambiguous review 0.0 2\na_NODE_1 Viral low_confidence 0.8 1");
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
    }

    #[test]
    fn records_without_scored_chunks_have_no_row() {
        let mut table = ContigTable::new(Vec::new(), CallOptions::default()).unwrap();
        assert!(matches!(table.chunk(1, 0.1, 0.9), Err(Error::NoRecord)));
        table.begin_record(b"a").unwrap();
        table.begin_record(b"b").unwrap();
        let (text, summary) = table.finish().unwrap();
        assert_eq!(text.iter().filter(|byte| **byte == b'\n').count(), 1);
        assert_eq!(summary, ContigSummary::default());
    }
}
