//! The decompressed text of an input, prepared for the parser.
//!
//! The parser takes a file of one byte, or a stream truncated in its first bytes, for an empty one; it
//! refuses a header without a sequence at the end; and it keeps only the text of a read error. This
//! layer therefore decodes, skips what precedes the first header, counts bytes, keeps the error, and
//! ends the text so that the last record is complete.
#![expect(clippy::indexing_slicing, reason = "`Read` returns at most the length of its buffer")]

use std::io::{self, Cursor, Read};
use std::mem;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use crate::compression::{Compression, PREFIX_BYTES, detect, unsupported};
use crate::decoder::decoder;
use crate::error::Error;

const BUFFER_BYTES: usize = 64 * 1024;

/// Up to this many bytes of blank lines are held back before they count as content.
const HELD_BYTES: usize = 1 << 20;

/// FASTA or FASTQ.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    Fasta,
    Fastq,
}

/// An input whose first header has been found.
pub(crate) struct Opened {
    pub(crate) compression: Compression,
    pub(crate) meter: Meter,
    /// `None` for an input of white space only.
    pub(crate) text: Option<(Format, Text)>,
}

/// Measurements of a text, for its reader while the parser owns the text.
#[derive(Debug, Clone, Default)]
pub(crate) struct Meter(Arc<Mutex<Measured>>);

#[derive(Debug, Default)]
struct Measured {
    bytes: u64,
    error: Option<io::Error>,
}

impl Meter {
    /// Uncompressed bytes that were read so far.
    pub(crate) fn bytes(&self) -> u64 {
        self.with(|measured| measured.bytes)
    }

    /// The read error behind the parser's error.
    pub(crate) fn take_error(&self) -> Option<io::Error> {
        self.with(|measured| measured.error.take())
    }

    fn with<T>(&self, act: impl FnOnce(&mut Measured) -> T) -> T {
        act(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Decodes `source` up to its first header.
pub(crate) fn open(path: &Path, mut source: Box<dyn Read + Send>) -> Result<Opened, Error> {
    let io = |source| Error::Io { path: path.to_owned(), source };
    let mut prefix = Vec::new();
    source.by_ref().take(PREFIX_BYTES).read_to_end(&mut prefix).map_err(io)?;
    let compression = detect(&prefix);
    refuse_unsupported(path, &prefix)?;
    let source = Box::new(Cursor::new(prefix).chain(source));
    let mut source = decoder(compression, source).map_err(io)?;

    let meter = Meter::default();
    let mut start = Vec::new();
    loop {
        let count = (&mut source).take(BUFFER_BYTES as u64).read_to_end(&mut start);
        let seen = start.len() as u64;
        let count = count
            .map_err(|source| read_error(path, compression, 1, meter.bytes() + seen, source))?;
        if meter.bytes() == 0 {
            refuse_unsupported(path, &start)?;
            if start.starts_with(b"\xef\xbb\xbf") {
                meter.with(|measured| measured.bytes += 3);
                start.drain(..3);
            }
        }
        let blanks = start.len() - start.trim_ascii_start().len();
        meter.with(|measured| measured.bytes += start.len() as u64);
        start.drain(..blanks);
        if count == 0 || !start.is_empty() {
            break;
        }
    }
    let format = match start.first() {
        None => return Ok(Opened { compression, meter, text: None }),
        Some(b'>') => Format::Fasta,
        Some(b'@') => Format::Fastq,
        Some(&found) => return Err(Error::UnknownFormat { path: path.to_owned(), found }),
    };
    let mut text = Text {
        source,
        format,
        meter: meter.clone(),
        ready: Cursor::default(),
        held: Vec::new(),
        ended: false,
    };
    match format {
        Format::Fasta => text.ready = Cursor::new(start),
        Format::Fastq => text.hold_line_ends(&start),
    }
    Ok(Opened { compression, meter, text: Some((format, text)) })
}

/// The error of a failed read of a compressed or plain input.
pub(crate) fn read_error(
    path: &Path,
    compression: Compression,
    record: u64,
    byte: u64,
    source: io::Error,
) -> Error {
    let path = path.to_owned();
    if compression == Compression::Plain || source.raw_os_error().is_some() {
        Error::Io { path, source }
    } else if source.kind() == io::ErrorKind::UnexpectedEof {
        Error::Truncated { path, compression, record, byte, source }
    } else {
        Error::Corrupt { path, compression, record, byte, source }
    }
}

fn refuse_unsupported(path: &Path, start: &[u8]) -> Result<(), Error> {
    match unsupported(start) {
        Some((format, remedy)) => Err(Error::Unsupported { path: path.to_owned(), format, remedy }),
        None => Ok(()),
    }
}

/// The text as the parser reads it.
pub(crate) struct Text {
    source: Box<dyn Read + Send>,
    format: Format,
    meter: Meter,
    /// Text to return before more is read from the source.
    ready: Cursor<Vec<u8>>,
    /// FASTQ only: line ends after the text that was returned. The parser refuses blank lines at the end.
    held: Vec<u8>,
    ended: bool,
}

impl Read for Text {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        if buf.is_empty() {
            return Ok(0);
        }
        loop {
            let count = self.ready.read(buf)?;
            if count > 0 || self.ended {
                return Ok(count);
            }
            let count = match self.source.read(buf) {
                Err(error) if error.kind() != io::ErrorKind::Interrupted => {
                    let kind = error.kind();
                    self.meter.with(|measured| measured.error = Some(error));
                    return Err(kind.into());
                }
                other => other?,
            };
            self.meter.with(|measured| measured.bytes += count as u64);
            match self.format {
                Format::Fasta if count > 0 => return Ok(count),
                Format::Fasta => self.end(b"\n\n"),
                Format::Fastq if count == 0 => self.end(b"\n"),
                Format::Fastq => self.hold_line_ends(&buf[..count]),
            }
        }
    }
}

impl Text {
    /// Ends the text. FASTA: two line ends turn a header on the last line into a record. FASTQ: one ends the
    /// last line.
    fn end(&mut self, ending: &[u8]) {
        self.held.clear();
        self.ready = Cursor::new(ending.to_vec());
        self.ended = true;
    }

    fn hold_line_ends(&mut self, fresh: &[u8]) {
        let is_line_end = |byte: &u8| matches!(byte, b'\n' | b'\r');
        let tail = fresh.iter().rev().take_while(|byte| is_line_end(byte)).count();
        let (content, tail) = fresh.split_at(fresh.len() - tail);
        if content.is_empty() && self.held.len() < HELD_BYTES {
            self.held.extend_from_slice(tail);
            return;
        }
        let mut ready = mem::replace(&mut self.held, tail.to_vec());
        ready.extend_from_slice(content);
        self.ready = Cursor::new(ready);
    }
}
