//! Reading the records of one FASTA or FASTQ file, one after the other.

use std::io::Read;
use std::path::{Path, PathBuf};

use needletail::errors::{ParseError, ParseErrorKind};
use needletail::parser::{FastaReader, FastqReader, FastxReader};

use crate::compression::Compression;
use crate::error::{Error, FastqFault};
use crate::record::Record;
use crate::text::{self, Format, Meter};

/// Streams the records of one FASTA or FASTQ input: plain, gzip, BGZF or Zstandard,
/// recognised by content.
///
/// An empty input, or one of white space only, has no records. A header without a sequence is a record
/// with an empty sequence. Memory: the largest record.
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
    meter: Meter,
    parser: Option<Box<dyn FastxReader>>,
    records: u64,
    rna: bool,
}

impl RecordReader {
    /// Opens a file.
    ///
    /// # Errors
    /// [`Error::Io`] if it cannot be opened, and those of [`from_reader`](Self::from_reader).
    pub fn open(path: &Path) -> Result<Self, Error> {
        let file = std::fs::File::open(path)
            .map_err(|source| Error::Io { path: path.to_owned(), source })?;
        Self::from_reader(path, Box::new(file))
    }

    /// Reads from a stream; errors call it `name`.
    ///
    /// # Errors
    /// [`Error::UnknownFormat`] and [`Error::Unsupported`] if the text is not FASTA or FASTQ, and the
    /// errors of reading.
    pub fn from_reader(name: &Path, reader: Box<dyn Read + Send>) -> Result<Self, Error> {
        let opened = text::open(name, reader)?;
        let parser = opened.text.map(|(format, text)| -> Box<dyn FastxReader> {
            match format {
                Format::Fasta => Box::new(FastaReader::new(text)),
                Format::Fastq => Box::new(FastqReader::new(text)),
            }
        });
        let (compression, meter) = (opened.compression, opened.meter);
        log::debug!("{}: {compression}, empty: {}", name.display(), parser.is_none());
        Ok(Self { path: name.to_owned(), compression, meter, parser, records: 0, rna: true })
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
        self.rna = false;
        self
    }

    /// The next record, or `None` at the end and after an error.
    ///
    /// # Errors
    /// [`Error::Truncated`] and [`Error::Corrupt`] for a truncated or damaged stream,
    /// [`Error::Fastq`] for a FASTQ record that breaks the format, [`Error::CarriageReturn`] for a file
    /// with old Macintosh line ends, [`Error::Io`] if the file cannot be read.
    pub fn next_record(&mut self) -> Result<Option<Record>, Error> {
        let Some(parser) = &mut self.parser else {
            return Ok(None);
        };
        let error = match parser.next() {
            Some(Ok(parsed)) if parsed.id().contains(&b'\r') => {
                Error::CarriageReturn { path: self.path.clone(), record: self.records + 1 }
            }
            Some(Ok(parsed)) => {
                self.records += 1;
                return Ok(Some(Record::from_raw(
                    parsed.id(),
                    parsed.seq().into_owned(),
                    self.rna,
                )));
            }
            Some(Err(error)) => self.explain(error),
            None => {
                self.parser = None;
                return Ok(None);
            }
        };
        self.parser = None;
        Err(error)
    }

    fn explain(&self, error: ParseError) -> Error {
        let record = self.records + 1;
        if let Some(source) = self.meter.take_error() {
            let byte = self.meter.bytes();
            return text::read_error(&self.path, self.compression, record, byte, source);
        }
        let path = self.path.clone();
        let fault = match error.kind {
            ParseErrorKind::UnequalLengths => FastqFault::QualityLength,
            ParseErrorKind::InvalidSeparator => FastqFault::Separator,
            ParseErrorKind::InvalidStart => FastqFault::Start,
            ParseErrorKind::UnexpectedEnd => FastqFault::End,
            _ => return Error::Parse { path, record, source: error },
        };
        let detail = if error.msg.is_empty() { error.to_string() } else { error.msg };
        Error::Fastq {
            path,
            record,
            line: error.position.line,
            id: error.position.id,
            fault,
            detail,
        }
    }
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
