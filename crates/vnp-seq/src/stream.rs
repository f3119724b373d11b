//! Streaming one or several inputs as rows, in blocks of bounded size.
#![expect(clippy::indexing_slicing, reason = "a task holds the index of a record that is there")]

mod cutting;

use std::collections::VecDeque;
use std::path::PathBuf;

use rayon::prelude::*;

use crate::chunk::ChunkLength;
use crate::digest::{Digester, InputDigest};
use crate::error::Error;
use crate::outcome::{Block, Counts};
use crate::reader::RecordReader;
use crate::record::Record;
use cutting::{Cutting, Task, Translated};

/// The limits of one block.
#[derive(Debug, Clone, Copy)]
pub(crate) struct BlockLimits {
    pub(crate) chunks: usize,
    pub(crate) records: usize,
    pub(crate) bases: usize,
}

impl Default for BlockLimits {
    fn default() -> Self {
        Self { chunks: 1024, records: 1024, bases: 4 << 20 }
    }
}

/// Streams the ORFs of one or several inputs in input order.
///
/// Several inputs count as one: their records follow each other. Chunks are translated in parallel
/// on rayon's current pool; rows, outcomes and their order depend neither on the pool nor on the
/// sizes of blocks. Memory: the largest record plus one block of at most about a thousand chunks.
///
/// See the [crate's example](crate).
#[derive(Debug)]
pub struct FrameReader {
    inputs: VecDeque<PathBuf>,
    chunk_length: ChunkLength,
    orfless_chunks: bool,
    strict: bool,
    maybe_truncated: bool,
    limits: BlockLimits,
    reader: Option<RecordReader>,
    /// The record with chunks left that did not fit into the last block.
    current: Option<Cutting>,
    counts: Counts,
    digester: Digester,
    digest: Option<InputDigest>,
    failed: bool,
}

impl FrameReader {
    /// Opens the first input, and checks that the others exist.
    ///
    /// # Errors
    /// [`Error::Io`] for an input that is missing, and those of [`RecordReader::open`].
    pub fn open(inputs: &[PathBuf], chunk_length: ChunkLength) -> Result<Self, Error> {
        // Not by opening: opening and closing a pipe would end its writer.
        for path in inputs {
            std::fs::metadata(path).map_err(|cause| Error::Io { path: path.clone(), cause })?;
        }
        let mut inputs: VecDeque<PathBuf> = inputs.iter().cloned().collect();
        let reader = inputs.pop_front().map(|path| RecordReader::open(&path)).transpose()?;
        Ok(Self {
            inputs,
            chunk_length,
            orfless_chunks: false,
            strict: false,
            maybe_truncated: false,
            limits: BlockLimits::default(),
            reader,
            current: None,
            counts: Counts::default(),
            digester: Digester::default(),
            digest: None,
            failed: false,
        })
    }

    /// Makes the reader also return the chunks without an ORF, which have no row.
    #[must_use]
    pub fn with_orfless_chunks(mut self) -> Self {
        self.orfless_chunks = true;
        self
    }

    /// Refuses BGZF inputs that may be truncated: [`RecordReader::strict`].
    #[must_use]
    pub fn strict(mut self, strict: bool) -> Self {
        self.strict = strict;
        self.reader = self.reader.map(|reader| reader.strict(strict));
        self
    }

    /// Whether one of the inputs read so far may be truncated: [`RecordReader::maybe_truncated`].
    #[must_use]
    pub fn maybe_truncated(&self) -> bool {
        self.maybe_truncated
    }

    /// The next rows and outcomes, or `None` at the end and after an error.
    ///
    /// # Errors
    /// Those of [`RecordReader::next_record`]; rows before the error may be lost.
    pub fn next_block(&mut self) -> Result<Option<Block>, Error> {
        if self.failed || self.digest.is_some() {
            return Ok(None);
        }
        let gathered = self.gather();
        self.failed = gathered.is_err();
        let (mut cuttings, tasks) = gathered?;
        if cuttings.is_empty() {
            self.digest = Some(self.digester.finish());
            return Ok(None);
        }

        let translate = |task: &Task| task.translate(&cuttings, self.orfless_chunks);
        let translated: Vec<Translated> =
            tasks.par_iter().with_min_len(64).map(translate).collect();

        let mut rows = Vec::with_capacity(translated.iter().map(|chunk| chunk.rows.len()).sum());
        let mut orfless = Vec::new();
        for (task, mut fresh) in tasks.iter().zip(translated) {
            self.counts.chunks += 1;
            self.counts.frames += fresh.rows.len() as u64;
            cuttings[task.cutting].count(fresh.rows.len() as u64);
            rows.append(&mut fresh.rows);
            orfless.extend(fresh.orfless);
        }
        self.current = cuttings.pop_if(|last| last.has_chunks_left());
        let records = cuttings.into_iter().map(Cutting::finish).collect();
        Ok(Some(Block { rows, orfless, records }))
    }

    /// Counts of what has been read and prepared so far.
    #[must_use]
    pub fn progress(&self) -> Counts {
        self.counts
    }

    /// The digest of the whole input; `None` before its end.
    #[must_use]
    pub fn input_digest(&self) -> Option<InputDigest> {
        self.digest.clone()
    }

    #[cfg(test)]
    fn with_limits(mut self, limits: BlockLimits) -> Self {
        self.limits = limits;
        self
    }

    /// The records and chunks of one block: only the last record may have chunks left, and only at the
    /// end there are none.
    fn gather(&mut self) -> Result<(Vec<Cutting>, Vec<Task>), Error> {
        let mut cuttings: Vec<Cutting> = self.current.take().into_iter().collect();
        let mut tasks = Vec::new();
        let mut bases = 0;
        loop {
            let cutting = cuttings.len().saturating_sub(1);
            if let Some(last) = cuttings.last_mut() {
                while tasks.len() < self.limits.chunks && bases < self.limits.bases {
                    let Some(task) = last.next_task(cutting) else {
                        break;
                    };
                    bases += self.chunk_length.get();
                    tasks.push(task);
                }
                // A record larger than the limit is finished before the next one is read.
                let is_large = last.length_bp() >= self.limits.bases;
                if last.has_chunks_left() || is_large {
                    return Ok((cuttings, tasks));
                }
            }
            if tasks.len() >= self.limits.chunks
                || bases >= self.limits.bases
                || cuttings.len() >= self.limits.records
            {
                return Ok((cuttings, tasks));
            }
            match self.next_record()? {
                Some(record) => {
                    cuttings.push(Cutting::new(record, self.counts.records, self.chunk_length))
                }
                None => return Ok((cuttings, tasks)),
            }
            self.counts.records += 1;
        }
    }

    fn next_record(&mut self) -> Result<Option<Record>, Error> {
        while let Some(reader) = &mut self.reader {
            if let Some(record) = reader.next_record()? {
                self.counts.bases += record.sequence.len() as u64;
                self.digester.update(&record);
                return Ok(Some(record));
            }
            self.maybe_truncated |= reader.maybe_truncated();
            let open = |path: PathBuf| Ok(RecordReader::open(&path)?.strict(self.strict));
            self.reader = self.inputs.pop_front().map(open).transpose()?;
        }
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chunk::{ChunkPosition, chunk_ranges};
    use crate::orf::find_orfs;
    use crate::orfless_chunk::{OrflessChunk, orfless_text};
    use crate::outcome::{FrameRow, RecordStatus};
    use proptest::prelude::*;

    /// Rows and outcomes of a FASTA text, with the sizes of its blocks.
    fn read(
        fasta: &str,
        chunk_bp: u32,
        limits: BlockLimits,
    ) -> (Block, Vec<(usize, usize)>, Counts) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("in.fa");
        std::fs::write(&path, fasta).unwrap();
        let length = ChunkLength::new(chunk_bp).unwrap();
        let reader = FrameReader::open(&[path], length).unwrap();
        let mut reader = reader.with_orfless_chunks().with_limits(limits);
        let mut all = Block::default();
        let mut sizes = Vec::new();
        while let Some(block) = reader.next_block().unwrap() {
            let mut chunks: Vec<_> = block.rows.iter().map(|row| (row.record, row.chunk)).collect();
            chunks.dedup();
            sizes.push((chunks.len(), block.records.len()));
            all.rows.extend(block.rows);
            all.orfless.extend(block.orfless);
            all.records.extend(block.records);
        }
        assert!(reader.input_digest().is_some());
        assert_eq!(reader.next_block().unwrap(), None);
        (all, sizes, reader.progress())
    }

    /// The expected rows, computed in one thread without blocks.
    fn naive(records: &[(String, String)], chunk_bp: u32) -> (Vec<FrameRow>, Vec<OrflessChunk>) {
        let length = ChunkLength::new(chunk_bp).unwrap();
        let (mut rows, mut orfless) = (Vec::new(), Vec::new());
        for (record, (id, sequence)) in records.iter().enumerate() {
            let record = record as u64;
            for (i, range) in chunk_ranges(sequence.len(), length).enumerate() {
                let id = format!("{id}_chunk_{}", i + 1);
                let (start_bp, end_bp) = (range.start as u64, range.end as u64);
                let chunk = ChunkPosition { index: i as u32, start_bp, end_bp };
                let text = sequence[range].as_bytes();
                let orfs = find_orfs(text);
                if let (true, Some(nucleotide)) = (orfs.is_empty(), orfless_text(text)) {
                    orfless.push(OrflessChunk { id: id.clone(), record, chunk, nucleotide });
                }
                rows.extend(orfs.into_iter().map(|orf| FrameRow {
                    id: format!("{id}{}", orf.frame),
                    record,
                    chunk,
                    frame: orf.frame,
                    nucleotide: orf.nucleotide,
                    protein: orf.protein,
                }));
            }
        }
        (rows, orfless)
    }

    fn check_status(sequence: &str, chunks: u64, frames: u64, expected: RecordStatus) {
        let (block, _, counts) =
            read(&format!(">r d\n{sequence}\n>next\nTCG\n"), 500, BlockLimits::default());
        let outcome = &block.records[0];
        assert_eq!((outcome.id.as_str(), outcome.record), ("r", 0));
        assert_eq!((outcome.chunks, outcome.frames), (chunks, frames), "{sequence}");
        assert_eq!(outcome.length_bp, sequence.len() as u64);
        assert_eq!(outcome.status, expected, "{sequence}");
        assert_eq!(block.records[1].status, RecordStatus::HasFrames);
        assert_eq!((counts.records, counts.frames), (2, frames + 2));
    }

    #[test]
    fn every_record_has_an_outcome() {
        check_status("", 0, 0, RecordStatus::Empty);
        check_status("A", 1, 0, RecordStatus::TooShort);
        check_status("AC", 1, 0, RecordStatus::TooShort);
        check_status("TCG", 1, 2, RecordStatus::HasFrames);
        check_status("NNNNNNNN", 1, 0, RecordStatus::NoOrf);
        check_status("TTAATTAATTAA", 1, 0, RecordStatus::NoOrf);
        let reason = "letter 'E' at position 5 is not a nucleotide code: is this protein?";
        check_status("ACGTE", 0, 0, RecordStatus::Failed { reason: reason.into() });
    }

    #[test]
    fn a_block_is_bounded_also_inside_one_record() {
        let fasta = format!(">long\n{}\n>next\nTCG\n", "GGC".repeat(10_000));
        let limits = BlockLimits { chunks: 7, ..BlockLimits::default() };
        let (block, sizes, counts) = read(&fasta, 100, limits);
        assert_eq!(sizes.iter().map(|(chunks, _)| *chunks).max(), Some(7));
        assert_eq!(counts.chunks, 301);
        assert_eq!(block.records[0].chunks_with_frames, 300);

        let limits = BlockLimits { bases: 250, ..BlockLimits::default() };
        assert_eq!(read(&fasta, 100, limits).1[0], (3, 0));
        let empty = ">e\n".repeat(10);
        let limits = BlockLimits { records: 4, ..BlockLimits::default() };
        assert_eq!(read(&empty, 100, limits).1, [(0, 4), (0, 4), (0, 2)]);
    }

    #[test]
    fn chunks_without_an_orf_come_only_when_asked_for() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("in.fa");
        // Without an ORF, with one, unknown, too short; then a record with one of each of the first two.
        let text =
            ">c\nTTAATTAATTAA\n>o\nGCCGCC\n>n\nNNNNNN\n>s\nA\n>m\nTTAATTAATTAAGGCGGCGGCGGC\n";
        std::fs::write(&path, text).unwrap();
        let length = ChunkLength::new(12).unwrap();
        let open = || FrameReader::open(std::slice::from_ref(&path), length).unwrap();
        let plain = open().next_block().unwrap().unwrap();
        assert_eq!(plain.orfless, []);
        let all = open().with_orfless_chunks().next_block().unwrap().unwrap();
        let found: Vec<_> =
            all.orfless.iter().map(|chunk| (chunk.id.as_str(), chunk.record)).collect();
        assert_eq!(found, [("c_chunk_1", 0), ("m_chunk_1", 4)]);
        assert_eq!((all.rows, all.records), (plain.rows, plain.records));
    }

    #[test]
    fn several_inputs_count_as_one() {
        let dir = tempfile::tempdir().unwrap();
        let paths: Vec<_> =
            ["a.fa", "empty.fa", "b.fq", "both.fa"].map(|n| dir.path().join(n)).into();
        std::fs::write(&paths[0], ">r1\nTCG\n").unwrap();
        std::fs::write(&paths[1], "").unwrap();
        std::fs::write(&paths[2], "@r2\nucga\n+\nIIII\n").unwrap();
        std::fs::write(&paths[3], ">r1\nTC\nG\n>r2\nTCGA").unwrap();
        let prepare = |inputs: &[PathBuf]| {
            let mut reader = FrameReader::open(inputs, ChunkLength::new(500).unwrap()).unwrap();
            let mut rows = Vec::new();
            while let Some(block) = reader.next_block().unwrap() {
                rows.extend(block.rows);
            }
            (rows, reader.progress(), reader.input_digest())
        };
        let split = prepare(&paths[..3]);
        assert_eq!(split.0.last().map(|row| row.record), Some(1));
        assert_eq!(split, prepare(&paths[3..]));
        assert_eq!(prepare(&[]).1, Counts::default());
    }

    #[test]
    fn a_missing_input_is_named_before_anything_is_read() {
        let dir = tempfile::tempdir().unwrap();
        let here = dir.path().join("here.fa");
        std::fs::write(&here, ">r\nA").unwrap();
        let gone = dir.path().join("gone.fa");
        let opened = FrameReader::open(&[here, gone.clone()], ChunkLength::new(3).unwrap());
        let Err(Error::Io { path, .. }) = opened else { panic!("opened") };
        assert_eq!(path, gone);
    }

    #[test]
    fn after_an_error_there_is_neither_a_block_nor_a_digest() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("bad.fq");
        std::fs::write(&path, "@r1\nACG\n+\nII\n").unwrap();
        let mut reader = FrameReader::open(&[path], ChunkLength::new(3).unwrap()).unwrap();
        let Err(Error::Fastq { record, .. }) = reader.next_block() else { panic!("no error") };
        assert_eq!(record, 1);
        assert_eq!(reader.next_block().unwrap(), None);
        assert_eq!(reader.input_digest(), None);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn blocks_joined_are_the_plain_computation(
            records in proptest::collection::vec(("[a-c]{0,2}", "[ACGTN]{0,200}"), 0..8),
            chunk_bp in 3u32..60, chunks in 1usize..20, records_per_block in 1usize..5,
            bases in 1usize..500,
        ) {
            let fasta: String =
                records.iter().map(|(id, sequence)| format!(">{id}\n{sequence}\n")).collect();
            let limits = BlockLimits { chunks, records: records_per_block, bases };
            let (block, sizes, counts) = read(&fasta, chunk_bp, limits);
            let (rows, orfless) = naive(&records, chunk_bp);
            prop_assert_eq!(&block.rows, &rows);
            prop_assert_eq!(&block.orfless, &orfless);
            prop_assert_eq!(block.records.len(), records.len());
            prop_assert!(sizes.iter().all(|size| size.0 <= chunks && size.1 <= records_per_block));
            prop_assert_eq!(counts.frames, block.rows.len() as u64);
        }
    }
}
