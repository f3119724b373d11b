//! Recognises the compression of an input, and formats that are not supported, by its first bytes.

use std::fmt;

/// The number of bytes that [`detect`] inspects.
pub(crate) const PREFIX_BYTES: u64 = 18;

/// The compression of an input, recognised by its first bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Compression {
    /// None.
    Plain,
    /// gzip, of one member or several.
    Gzip,
    /// BGZF: gzip in blocks, the first at least. An empty last block marks the end of a complete file.
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

/// The compression of an input with these first [`PREFIX_BYTES`]. A file shorter than its own magic
/// number counts as compressed, so that it is reported as truncated instead of parsed as text.
pub(crate) fn detect(prefix: &[u8]) -> Compression {
    const ZSTD: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];
    match prefix {
        [0x1f, 0x8b, 8, flags, ..] if flags & 4 != 0 && prefix.get(12..14) == Some(b"BC") => {
            Compression::Bgzf
        }
        // The second is the magic number of gzip before version 1.0.
        [0x1f] | [0x1f, 0x8b | 0x9e, ..] => Compression::Gzip,
        // A skippable frame may come first.
        [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..] => Compression::Zstd,
        [0x28, ..] if ZSTD.starts_with(prefix) || prefix.starts_with(&ZSTD) => Compression::Zstd,
        _ => Compression::Plain,
    }
}

/// The name of a recognised but unsupported format, and the remedy.
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

#[cfg(test)]
mod tests {
    use super::*;

    const BGZF_END: [u8; 28] =
        *b"\x1f\x8b\x08\x04\0\0\0\0\0\xff\x06\0BC\x02\0\x1b\0\x03\0\0\0\0\0\0\0\0\0";

    fn check(prefix: &[u8], expected: Compression) {
        assert_eq!(detect(prefix), expected, "{prefix:?}");
    }

    #[test]
    fn the_first_bytes_identify_the_compression() {
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
    fn unsupported_formats_are_named() {
        check_unsupported(b"BZh91AY", Some("bzip2"));
        check_unsupported(b"\xfd7zXZ\0", Some("xz"));
        check_unsupported(b"PK\x03\x04", Some("a zip archive"));
        check_unsupported(b"BAM\x01", Some("BAM"));
        check_unsupported(b"@HD\tVN:1.6", Some("SAM"));
        check_unsupported(b"@HD1\n", None);
        check_unsupported(b">x", None);
    }
}
