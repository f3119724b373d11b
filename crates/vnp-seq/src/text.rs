//! The decompressed text of an input, read line by line.
#![expect(clippy::indexing_slicing, reason = "`memchr` returns a position inside the slice")]

use std::io::{self, Cursor, Read};
use std::path::Path;

use memchr::{memchr, memchr_iter};

use crate::compression::{Compression, PREFIX_BYTES, detect};
use crate::decoder::decoder;
use crate::decoder::ending::Ending;
use crate::decoder::fault::{TrailingBytes, limit_remedy};
use crate::error::Error;
use crate::foreign::{INSPECTED_BYTES, cannot_read, unsupported};
use crate::lookahead::Lookahead;

/// An input whose first byte of content comes next.
pub(crate) struct Opened {
    pub(crate) compression: Compression,
    pub(crate) ending: Ending,
    pub(crate) text: Text,
    /// The first byte that is not white space.
    pub(crate) first: Option<u8>,
}

/// Decodes `source` up to its first byte of content.
pub(crate) fn open(path: &Path, mut source: Box<dyn Read + Send>) -> Result<Opened, Error> {
    let io = |cause| cannot_read(path, cause);
    let mut prefix = Vec::new();
    source.by_ref().take(PREFIX_BYTES).read_to_end(&mut prefix).map_err(io)?;
    let compression = detect(&prefix);
    let source = Box::new(Cursor::new(prefix).chain(source));
    let (source, ending) = decoder(path, compression, source).map_err(io)?;

    let mut text = Text { bytes: Lookahead::new(source), line: 1 };
    let first = (|| {
        let start = text.bytes.peek(INSPECTED_BYTES)?;
        if let Some((format, remedy)) = unsupported(start) {
            return Ok(Err(Error::Unsupported { path: path.to_owned(), format, remedy }));
        }
        if start.starts_with(b"\xef\xbb\xbf") {
            text.bytes.consume(3);
        }
        text.skip_white_space()?;
        text.peek().map(Ok)
    })();
    let first =
        first.map_err(|source| read_error(path, compression, 1, text.received(), source))??;
    Ok(Opened { compression, ending, text, first })
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
        Error::Io { path, cause: source }
    } else if let Some(&TrailingBytes { position }) =
        source.get_ref().and_then(|error| error.downcast_ref())
    {
        Error::TrailingBytes { path, compression, position }
    } else if let Some(remedy) = limit_remedy(&source) {
        Error::Limit { path, compression, remedy, cause: source }
    } else if source.kind() == io::ErrorKind::UnexpectedEof {
        Error::Truncated { path, compression, record, byte, cause: source }
    } else {
        Error::Corrupt { path, compression, record, byte, cause: source }
    }
}

/// A text and the place in it.
pub(crate) struct Text {
    bytes: Lookahead,
    line: u64,
}

impl Text {
    /// The line that comes next, counted from 1.
    pub(crate) fn line(&self) -> u64 {
        self.line
    }

    /// Bytes that could be decoded so far.
    pub(crate) fn received(&self) -> u64 {
        self.bytes.received()
    }

    /// The next byte.
    #[inline]
    pub(crate) fn peek(&mut self) -> io::Result<Option<u8>> {
        Ok(self.bytes.peek(1)?.first().copied())
    }

    /// Appends the next line to `line`, without its line end. `false` if it is longer than `limit`: then
    /// what was appended is not whole, and the rest of the line comes next.
    pub(crate) fn read_line(&mut self, line: &mut Vec<u8>, limit: usize) -> io::Result<bool> {
        let before = line.len();
        self.line += 1;
        loop {
            let next = self.bytes.peek(1)?;
            let end = memchr(b'\n', next);
            let content = end.unwrap_or(next.len());
            line.extend_from_slice(&next[..content]);
            let at_end = next.is_empty();
            self.bytes.consume(content + usize::from(end.is_some()));
            // One more for a carriage return.
            if line.len() - before > limit + 1 {
                return Ok(false);
            }
            if end.is_some() || at_end {
                if line[before..].last() == Some(&b'\r') {
                    line.pop();
                }
                return Ok(line.len() - before <= limit);
            }
        }
    }

    /// Passes on the next line, without its line end, in pieces of bounded size.
    #[inline]
    pub(crate) fn each_piece_of_line<E: From<io::Error>>(
        &mut self,
        mut piece: impl FnMut(&[u8]) -> Result<(), E>,
    ) -> Result<(), E> {
        self.line += 1;
        // A carriage return at the end of a piece may be the first half of a line end.
        let mut held_back = false;
        loop {
            let next = self.bytes.peek(1)?;
            let end = memchr(b'\n', next);
            let (content, at_end) = (end.unwrap_or(next.len()), next.is_empty());
            let letters = &next[..content];
            if held_back && content > 0 {
                piece(b"\r")?;
            }
            held_back &= content == 0;
            let kept = letters.strip_suffix(b"\r").unwrap_or(letters);
            held_back |= kept.len() < content;
            piece(kept)?;
            self.bytes.consume(content + usize::from(end.is_some()));
            if end.is_some() || at_end {
                return Ok(());
            }
        }
    }

    /// Skips the next line if it has `length` bytes and they are buffered: a shortcut, whose `false` says
    /// nothing about the line.
    #[inline]
    pub(crate) fn skip_line_of(&mut self, length: usize) -> io::Result<bool> {
        let next = self.bytes.peek(1)?;
        let is_skipped = next.get(length) == Some(&b'\n')
            && !next[..length].ends_with(b"\r")
            && memchr(b'\n', &next[..length]).is_none();
        if is_skipped {
            self.bytes.consume(length + 1);
            self.line += 1;
        }
        Ok(is_skipped)
    }

    /// Skips white space and blank lines.
    pub(crate) fn skip_white_space(&mut self) -> io::Result<()> {
        loop {
            let next = self.bytes.peek(1)?;
            let blanks = next.len() - next.trim_ascii_start().len();
            if blanks == 0 {
                return Ok(());
            }
            self.line += memchr_iter(b'\n', &next[..blanks]).count() as u64;
            self.bytes.consume(blanks);
        }
    }
}
