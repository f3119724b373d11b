//! How an input is compressed, by its content, and the decoders.

use std::fmt;
use std::io::{self, Cursor, Read};
use std::path::Path;

use flate2::read::MultiGzDecoder;

use crate::Error;

/// How many bytes [`detect`] wants to see.
pub(crate) const PREFIX_BYTES: u64 = 18;

/// The block that ends every complete BGZF file.
const BGZF_END: [u8; 28] =
    *b"\x1f\x8b\x08\x04\0\0\0\0\0\xff\x06\0BC\x02\0\x1b\0\x03\0\0\0\0\0\0\0\0\0";

/// The compression of an input, told by its first bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Compression {
    /// None.
    Plain,
    /// gzip, of one member or several.
    Gzip,
    /// BGZF: gzip in blocks, with a last block that tells that the file is complete.
    Bgzf,
    /// Zstandard.
    Zstd,
}

impl fmt::Display for Compression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Plain => "plain",
            Self::Gzip => "gzip",
            Self::Bgzf => "bgzf",
            Self::Zstd => "zstd",
        })
    }
}

/// The compression that the first [`PREFIX_BYTES`] of an input tell; a file that is shorter than its
/// own magic number counts as compressed, so that it ends as cut and not as text.
pub(crate) fn detect(prefix: &[u8]) -> Compression {
    const ZSTD: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];
    match prefix {
        [0x1f, 0x8b, 8, flags, ..] if flags & 4 != 0 && prefix.get(12..14) == Some(b"BC") => {
            Compression::Bgzf
        }
        [0x1f] | [0x1f, 0x8b, ..] => Compression::Gzip,
        // A skippable frame may come first.
        [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..] => Compression::Zstd,
        [0x28, ..] if ZSTD.starts_with(prefix) || prefix.starts_with(&ZSTD) => Compression::Zstd,
        _ => Compression::Plain,
    }
}

/// The name and the remedy of a format that is recognised, in order not to be read.
pub(crate) fn unsupported(prefix: &[u8]) -> Option<(&'static str, &'static str)> {
    const PIPE: &str = "decompress it first, for example into `-`";
    match prefix {
        [b'B', b'Z', b'h', ..] => Some(("bzip2", PIPE)),
        [0xfd, b'7', b'z', b'X', b'Z', ..] => Some(("xz", PIPE)),
        [b'P', b'K', 3, 4, ..] => Some(("a zip archive", PIPE)),
        [b'B', b'A', b'M', 1, ..] => Some(("BAM", "convert it with `samtools fasta`")),
        [b'C', b'R', b'A', b'M', ..] => Some(("CRAM", "convert it with `samtools fasta`")),
        [b'@', b'H' | b'S', b'D' | b'Q', b'\t', ..] => {
            Some(("SAM", "convert it with `samtools fasta`"))
        }
        _ => None,
    }
}

/// Opens a file as what it holds once it is decompressed: for formats that are read elsewhere.
///
/// # Errors
/// [`Error::Io`] where it cannot be opened. A stream that is cut or damaged ends in an error of
/// reading it.
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

/// The decoder of `source`.
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

/// BGZF that ends without its last block was cut between two blocks, which gzip cannot tell.
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

/// Remembers the last bytes that went through.
struct Tail<R> {
    source: R,
    last: Vec<u8>,
}

impl<R: Read> Read for Tail<R> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let count = self.source.read(buf)?;
        let fresh = buf.get(..count).unwrap_or_default();
        self.last.extend_from_slice(fresh.get(count.saturating_sub(28)..).unwrap_or_default());
        let surplus = self.last.len().saturating_sub(28);
        self.last.drain(..surplus);
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(prefix: &[u8], expected: Compression) {
        assert_eq!(detect(prefix), expected, "{prefix:?}");
    }

    #[test]
    fn the_first_bytes_tell_the_compression() {
        check(b"", Compression::Plain);
        check(b">", Compression::Plain);
        check(b"(", Compression::Zstd);
        check(b"(A)\n", Compression::Plain);
        check(b"P*M", Compression::Plain);
        check(&[0x1f], Compression::Gzip);
        check(&[0x1f, 0x8b], Compression::Gzip);
        check(&[0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3], Compression::Gzip);
        check(&BGZF_END, Compression::Bgzf);
        check(&[0x28, 0xb5], Compression::Zstd);
        check(&[0x28, 0xb5, 0x2f, 0xfd, 4], Compression::Zstd);
        check(&[0x28, 0xb5, 0x2f, 0xfe, 4], Compression::Plain);
        check(&[0x5d, 0x2a, 0x4d, 0x18], Compression::Zstd);
    }

    fn check_unsupported(prefix: &[u8], expected: Option<&str>) {
        assert_eq!(unsupported(prefix).map(|(format, _)| format), expected);
    }

    #[test]
    fn formats_that_are_not_read_are_named() {
        check_unsupported(b"BZh91AY", Some("bzip2"));
        check_unsupported(b"\xfd7zXZ\0", Some("xz"));
        check_unsupported(b"PK\x03\x04", Some("a zip archive"));
        check_unsupported(b"BAM\x01", Some("BAM"));
        check_unsupported(b"@HD\tVN:1.6", Some("SAM"));
        check_unsupported(b"@HD1\n", None);
        check_unsupported(b">x", None);
    }
}
