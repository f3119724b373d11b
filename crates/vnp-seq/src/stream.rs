//! Streaming one or several inputs as rows, in blocks of bounded size.
#![expect(clippy::indexing_slicing, reason = "a task holds the index of a record that is there")]

mod cutting;

use std::collections::VecDeque;
use std::path::{Path, PathBuf};

use rayon::prelude::*;

use crate::chunk::ChunkLength;
use crate::digest::{Digester, InputDigest};
use crate::error::Error;
use crate::foreign::cannot_read;
use crate::id::raw_id;
use crate::outcome::{Block, Counts};
use crate::reader::{LongRecord, RecordReader, scratch_error};
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
/// sizes of blocks. Memory: one block of at most about a thousand chunks,
/// and the longest record, or 16 MiB of it [with a scratch directory](Self::scratch).
///
/// See the [crate's example](crate).
#[derive(Debug)]
pub struct FrameReader {
    /// The inputs that are not open yet, and what errors call them.
    inputs: VecDeque<(PathBuf, PathBuf)>,
    /// None to cut nothing.
    chunk_length: Option<ChunkLength>,
    orfless_chunks: bool,
    strict: bool,
    scratch: Option<PathBuf>,
    maybe_truncated: bool,
    limits: BlockLimits,
    reader: Option<RecordReader>,
    /// The number of the input that is being read.
    input: usize,
    /// The record with chunks left that did not fit into the last block.
    current: Option<Cutting>,
    counts: Counts,
    digester: Digester,
    /// Of a whole input that was cut.
    digest: Option<InputDigest>,
    /// At its end, or after an error.
    ended: bool,
}

impl FrameReader {
    /// Opens the first input, and checks that the others exist.
    ///
    /// # Errors
    /// [`Error::Io`] for an input that is missing, and those of [`RecordReader::open`].
    pub fn open(inputs: &[PathBuf], chunk_length: ChunkLength) -> Result<Self, Error> {
        Self::open_as(inputs, inputs, chunk_length)
    }

    /// [`open`](Self::open) for inputs that errors call `names`, of which there is one for each.
    ///
    /// # Errors
    /// Those of [`open`](Self::open).
    pub fn open_as(
        inputs: &[PathBuf],
        names: &[PathBuf],
        chunk_length: ChunkLength,
    ) -> Result<Self, Error> {
        debug_assert_eq!(inputs.len(), names.len());
        let mut inputs: VecDeque<(PathBuf, PathBuf)> =
            inputs.iter().cloned().zip(names.iter().cloned()).collect();
        // Not by opening: opening and closing a pipe would end its writer.
        for (path, name) in &inputs {
            std::fs::metadata(path).map_err(|cause| cannot_read(name, cause))?;
        }
        let first = inputs.pop_front();
        let reader = first.map(|(path, name)| RecordReader::open_as(&path, &name)).transpose()?;
        Ok(Self::new(reader, inputs, Some(chunk_length)))
    }

    /// Reads the records of one input without cutting them: blocks hold their outcomes, in which every
    /// record is without an ORF that is neither short, nor empty, nor failed.
    #[must_use]
    pub fn records_only(reader: RecordReader) -> Self {
        Self::new(Some(reader), VecDeque::new(), None)
    }

    fn new(
        reader: Option<RecordReader>,
        inputs: VecDeque<(PathBuf, PathBuf)>,
        chunk_length: Option<ChunkLength>,
    ) -> Self {
        Self {
            inputs,
            chunk_length,
            orfless_chunks: false,
            strict: false,
            scratch: None,
            maybe_truncated: false,
            limits: BlockLimits::default(),
            reader,
            input: 0,
            current: None,
            counts: Counts::default(),
            digester: Digester::default(),
            digest: None,
            ended: false,
        }
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

    /// Keeps the letters of records of more than 16 MiB in unnamed temporary files in `dir` instead of in
    /// memory.
    #[must_use]
    pub fn scratch(mut self, dir: &Path) -> Self {
        self.scratch = Some(dir.to_owned());
        self.reader = self.reader.map(|reader| reader.scratch(dir));
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
        if self.ended {
            return Ok(None);
        }
        let gathered = self.gather();
        self.ended = gathered.as_ref().map_or(true, |(cuttings, _)| cuttings.is_empty());
        let (mut cuttings, tasks) = gathered?;
        if self.ended {
            self.digest = self.chunk_length.map(|_| self.digester.finish());
            return Ok(None);
        }

        let translate = |task: &Task| task.translate(&cuttings, self.orfless_chunks);
        let translated: Vec<Translated> =
            tasks.par_iter().with_min_len(64).map(translate).collect();

        let mut rows = Vec::with_capacity(translated.iter().map(|chunk| chunk.rows.len()).sum());
        let mut orfless = Vec::new();
        let mut chunks = Vec::with_capacity(tasks.len());
        for (task, mut fresh) in tasks.iter().zip(translated) {
            self.counts.chunks += 1;
            self.counts.frames += fresh.rows.len() as u64;
            cuttings[task.cutting].count(fresh.rows.len() as u64);
            chunks.push(task.chunk(&cuttings));
            rows.append(&mut fresh.rows);
            orfless.extend(fresh.orfless);
        }
        self.current = cuttings.pop_if(|last| last.has_chunks_left());
        let records = cuttings.into_iter().map(Cutting::finish).collect();
        Ok(Some(Block { chunks, rows, orfless, records }))
    }

    /// Counts of what has been read and prepared so far.
    #[must_use]
    pub fn progress(&self) -> Counts {
        self.counts
    }

    /// The digest of the whole input; `None` before its end, and of [records only](Self::records_only).
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
                    let Some(task) = last.next_task(cutting).map_err(scratch_error)? else {
                        break;
                    };
                    bases += task.length_bp();
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
                    let (number, input) = (self.counts.records, self.input);
                    let cutting = Cutting::new(record, number, input, self.chunk_length);
                    cuttings.push(cutting.map_err(scratch_error)?);
                }
                None => return Ok((cuttings, tasks)),
            }
            self.counts.records += 1;
        }
    }

    fn next_record(&mut self) -> Result<Option<LongRecord>, Error> {
        while let Some(reader) = &mut self.reader {
            if let Some(mut record) = reader.next_long_record()? {
                self.counts.bases += record.letters.len() as u64;
                if self.chunk_length.is_some() {
                    let id = raw_id(&record.id, record.id_is_encoded);
                    self.digester.update(&id, &mut record.letters).map_err(scratch_error)?;
                }
                return Ok(Some(record));
            }
            self.maybe_truncated |= reader.maybe_truncated();
            let open = |(path, name): (PathBuf, PathBuf)| -> Result<RecordReader, Error> {
                let reader = RecordReader::open_as(&path, &name)?.strict(self.strict);
                Ok(match &self.scratch {
                    Some(scratch) => reader.scratch(scratch),
                    None => reader,
                })
            };
            self.reader = self.inputs.pop_front().map(open).transpose()?;
            self.input += 1;
        }
        Ok(None)
    }
}

#[cfg(test)]
mod tests;
