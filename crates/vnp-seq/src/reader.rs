//! Reading the records of one FASTA or FASTQ file, one after the other.

mod fasta;
mod fastq;
mod fault;
mod raw;

use std::io::Read;
use std::path::{Path, PathBuf};

use self::fault::Fault;
use self::raw::Raw;
use crate::compression::Compression;
use crate::decoder::ending::{Ending, warn_incomplete};
use crate::error::Error;
use crate::foreign::open_file;
use crate::id::{id_bytes, id_text};
use crate::letters::{Letters, LettersError, ScratchError};
use crate::record::Record;
use crate::text::{self, Text};
use vnp_escape::escaped_path;

/// Streams the records of one FASTA or FASTQ input: plain, gzip, BGZF, bzip2, xz or Zstandard,
/// recognised by content. FASTQ may be wrapped over several lines.
///
/// An empty input, or one of white space only, has no records. A header without a sequence is a record
/// with an empty sequence. Memory: the largest record, and what the
/// decoder needs (zstd and xz: the window that the file names, up to 128 and 256 MiB).
///
/// ```
/// use std::path::Path;
/// use vnp_seq::RecordReader;
///
/// let text = b">read1 first\nAC\nGU\n>read2".as_slice();
/// let mut reader = RecordReader::from_reader(Path::new("reads.fa"), Box::new(text))?;
/// let record = reader.next_record()?.ok_or("a record")?;
/// assert_eq!((record.id.as_str(), record.sequence.as_slice()), ("read1", b"ACGT".as_slice()));
/// assert_eq!(reader.next_record()?.map(|record| record.sequence), Some(vec![]));
/// assert_eq!(reader.next_record()?, None);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct RecordReader {
    path: PathBuf,
    compression: Compression,
    ending: Ending,
    strict: bool,
    /// The text while records may follow.
    text: Option<Text>,
    format: Format,
    raw: Raw,
    /// FASTQ only: a buffer.
    quality: Vec<u8>,
    records: u64,
}

/// A record whose letters may lie in a temporary file.
pub(crate) struct LongRecord {
    pub(crate) id: String,
    pub(crate) id_is_encoded: bool,
    pub(crate) letters: Letters,
}

#[derive(Debug, Clone, Copy)]
enum Format {
    Fasta,
    Fastq,
}

impl RecordReader {
    /// Opens a file.
    ///
    /// # Errors
    /// [`Error::Io`] if it cannot be opened, and those of [`from_reader`](Self::from_reader).
    pub fn open(path: &Path) -> Result<Self, Error> {
        Self::open_as(path, path)
    }

    /// [`open`](Self::open) for a file that errors call `name`, such as the copy of a stream.
    ///
    /// # Errors
    /// Those of [`open`](Self::open).
    pub fn open_as(path: &Path, name: &Path) -> Result<Self, Error> {
        Self::from_reader(name, Box::new(open_file(path, name)?))
    }

    /// Reads from a stream; errors call it `name`.
    ///
    /// # Errors
    /// [`Error::UnknownFormat`] and [`Error::Unsupported`] if the text is not FASTA or FASTQ, and the
    /// errors of reading.
    pub fn from_reader(name: &Path, reader: Box<dyn Read + Send>) -> Result<Self, Error> {
        let opened = text::open(name, reader)?;
        let format = match opened.first {
            // Without content, either.
            None | Some(b'>') => Format::Fasta,
            Some(b'@') => Format::Fastq,
            Some(found) => return Err(Error::UnknownFormat { path: name.to_owned(), found }),
        };
        log::debug!(
            "{}: {}, empty: {}",
            escaped_path(name),
            opened.compression,
            opened.first.is_none()
        );
        Ok(Self {
            path: name.to_owned(),
            compression: opened.compression,
            ending: opened.ending,
            strict: false,
            text: Some(opened.text),
            format,
            raw: Raw::default(),
            quality: Vec::new(),
            records: 0,
        })
    }

    /// Keeps U: for proteins, where it is selenocysteine.
    ///
    /// ```
    /// use std::path::Path;
    /// use vnp_seq::RecordReader;
    ///
    /// let text = b">p\nMKU\n".as_slice();
    /// let mut reader = RecordReader::from_reader(Path::new("p.faa"), Box::new(text))?.keep_u();
    /// assert_eq!(reader.next_record()?.map(|record| record.sequence), Some(b"MKU".to_vec()));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn keep_u(mut self) -> Self {
        self.raw.letters.rna = false;
        self
    }

    /// Writes the letters of records of more than 16 MiB to unnamed temporary files in `dir`.
    #[must_use]
    pub(crate) fn scratch(mut self, dir: &Path) -> Self {
        self.raw.letters.scratch = Some(dir.to_owned());
        self
    }

    #[cfg(test)]
    pub(crate) fn spilling_at(mut self, dir: &Path, limit: usize) -> Self {
        self.raw.letters = crate::letters::Gatherer::with_limit(dir, limit);
        self
    }

    /// Whether to refuse a BGZF input without the empty block that ends a complete one, instead of
    /// warning.
    #[must_use]
    pub fn strict(mut self, strict: bool) -> Self {
        self.strict = strict;
        self
    }

    /// Whether a BGZF input lacks the empty block that ends a complete one, so that it may have been
    /// truncated between two blocks. Known at the end of the input; also logged as a warning.
    #[must_use]
    pub fn maybe_truncated(&self) -> bool {
        self.ending.is_incomplete()
    }

    /// The next record, or `None` at the end and after an error.
    ///
    /// # Errors
    /// [`Error::Truncated`], [`Error::Corrupt`] and [`Error::TrailingBytes`] for a truncated or damaged
    /// stream, [`Error::Limit`] for one that the decoder cannot decode, [`Error::NoEndBlock`] in a
    /// [strict](Self::strict) reader, [`Error::Fastq`] for a FASTQ record that breaks the format,
    /// [`Error::CarriageReturn`] for a file with old Macintosh line ends, [`Error::Io`] if the file
    /// cannot be read.
    pub fn next_record(&mut self) -> Result<Option<Record>, Error> {
        let Some(record) = self.next_long_record()? else { return Ok(None) };
        let LongRecord { id, id_is_encoded, letters } = record;
        let kept = letters.into_memory();
        let sequence = kept.map_err(|error| self.explain_letters(error, self.records))?;
        Ok(Some(Record { id, id_is_encoded, sequence }))
    }

    /// The next record, without holding a long one in memory.
    pub(crate) fn next_long_record(&mut self) -> Result<Option<LongRecord>, Error> {
        let Some(text) = &mut self.text else {
            return Ok(None);
        };
        let read = match self.format {
            Format::Fasta => fasta::next(text, &mut self.raw),
            Format::Fastq => fastq::next(text, &mut self.raw, &mut self.quality),
        };
        match read {
            Ok(true) => {
                self.records += 1;
                let (id, id_is_encoded) = id_text(id_bytes(self.raw.header()));
                let letters = self.raw.letters.finish().map_err(scratch_error)?;
                Ok(Some(LongRecord { id, id_is_encoded, letters }))
            }
            Ok(false) => {
                self.text = None;
                self.check_ending()?;
                Ok(None)
            }
            Err(fault) => {
                let received = text.received();
                self.text = None;
                Err(self.explain(fault, received))
            }
        }
    }

    fn check_ending(&self) -> Result<(), Error> {
        if self.maybe_truncated() {
            if self.strict {
                let path = self.path.clone();
                return Err(Error::NoEndBlock { path, record: self.records });
            }
            warn_incomplete(&self.path);
        }
        Ok(())
    }

    fn explain(&self, fault: Fault, byte: u64) -> Error {
        let (path, record) = (self.path.clone(), self.records + 1);
        match fault {
            Fault::Read(source) => text::read_error(&path, self.compression, record, byte, source),
            Fault::CarriageReturn { is_mac } => Error::CarriageReturn { path, record, is_mac },
            Fault::LongHeader { limit } => Error::LongHeader { path, record, limit },
            Fault::Letters(error) => self.explain_letters(error, record),
            Fault::Fastq { line, id, fault, detail } => {
                Error::Fastq { path, record, line, id, fault, detail }
            }
        }
    }
}

impl RecordReader {
    fn explain_letters(&self, error: LettersError, record: u64) -> Error {
        match error {
            LettersError::Scratch(error) => scratch_error(error),
            LettersError::Memory => Error::Memory { path: self.path.clone(), record },
        }
    }
}

/// The error of a temporary file.
pub(crate) fn scratch_error(error: ScratchError) -> Error {
    let ScratchError { scratch, cause } = error;
    Error::Scratch { path: scratch, cause }
}

impl std::fmt::Debug for RecordReader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RecordReader")
            .field("path", &self.path)
            .field("compression", &self.compression)
            .field("records", &self.records)
            .finish_non_exhaustive()
    }
}
