//! Decoders of compressed inputs.
#![expect(clippy::indexing_slicing, reason = "`Read` returns at most the length of its buffer")]

use std::io::{self, Cursor, Read};
use std::path::Path;

use flate2::read::MultiGzDecoder;

use crate::compression::{Compression, PREFIX_BYTES, detect};
use crate::error::Error;

/// The block that ends every complete BGZF file.
pub(crate) const BGZF_END: [u8; 28] =
    *b"\x1f\x8b\x08\x04\0\0\0\0\0\xff\x06\0BC\x02\0\x1b\0\x03\0\0\0\0\0\0\0\0\0";

/// Opens a file for reading its decompressed content: for formats that other crates parse.
///
/// # Errors
/// [`Error::Io`] if it cannot be opened. Reading a truncated or damaged stream ends in an I/O error.
///
/// ```
/// # let dir = tempfile::tempdir()?;
/// # let path = dir.path().join("table.tsv");
/// std::fs::write(&path, "id\tlabel\n")?;
/// let mut text = String::new();
/// std::io::Read::read_to_string(&mut vnp_seq::open_decompressed(&path)?, &mut text)?;
/// assert_eq!(text, "id\tlabel\n");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn open_decompressed(path: &Path) -> Result<Box<dyn Read + Send>, Error> {
    let io = |source| Error::Io { path: path.to_owned(), source };
    let mut file = std::fs::File::open(path).map_err(io)?;
    let mut prefix = Vec::new();
    file.by_ref().take(PREFIX_BYTES).read_to_end(&mut prefix).map_err(io)?;
    let compression = detect(&prefix);
    decoder(compression, Box::new(Cursor::new(prefix).chain(file))).map_err(io)
}

/// A reader of the decompressed `source`.
pub(crate) fn decoder(
    compression: Compression,
    source: Box<dyn Read + Send>,
) -> io::Result<Box<dyn Read + Send>> {
    Ok(match compression {
        Compression::Plain => source,
        Compression::Gzip => Box::new(MultiGzDecoder::new(source)),
        Compression::Bgzf => Box::new(Bgzf(MultiGzDecoder::new(Tail { source, last: Vec::new() }))),
        Compression::Zstd => Box::new(zstd::stream::read::Decoder::new(source)?),
    })
}

/// Reports BGZF without its last block as truncated: a cut between two blocks is valid gzip.
struct Bgzf(MultiGzDecoder<Tail<Box<dyn Read + Send>>>);

impl Read for Bgzf {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let count = self.0.read(buf)?;
        if count == 0 && !buf.is_empty() && self.0.get_ref().last != BGZF_END {
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "its last block is missing"));
        }
        Ok(count)
    }
}

/// Remembers the last bytes that were read, as many as [`BGZF_END`] has.
struct Tail<R> {
    source: R,
    last: Vec<u8>,
}

impl<R: Read> Read for Tail<R> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let count = self.source.read(buf)?;
        self.last.extend_from_slice(&buf[count.saturating_sub(BGZF_END.len())..count]);
        let surplus = self.last.len().saturating_sub(BGZF_END.len());
        self.last.drain(..surplus);
        Ok(count)
    }
}
