//! Recognises the compression of an input by its first bytes.

use std::fmt;

/// The number of bytes that [`detect`] inspects.
pub(crate) const PREFIX_BYTES: u64 = 18;

/// The start of a stream of xz.
pub(crate) const XZ_MAGIC: [u8; 6] = *b"\xfd7zXZ\0";

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
    /// bzip2, of one stream or several.
    Bzip2,
    /// xz, of one stream or several.
    Xz,
    /// Zstandard.
    Zstd,
}

impl fmt::Display for Compression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Plain => "plain",
            Self::Gzip => "gzip",
            Self::Bgzf => "bgzf",
            Self::Bzip2 => "bzip2",
            Self::Xz => "xz",
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
        _ if is_bzip2(prefix) => Compression::Bzip2,
        [0xfd, ..] if XZ_MAGIC.starts_with(prefix) || prefix.starts_with(&XZ_MAGIC) => {
            Compression::Xz
        }
        [0x28, ..] if ZSTD.starts_with(prefix) || prefix.starts_with(&ZSTD) => Compression::Zstd,
        _ => Compression::Plain,
    }
}

/// Whether these are the first bytes of a stream of bzip2, as far as there are any.
pub(crate) fn is_bzip2(bytes: &[u8]) -> bool {
    bytes.first() == Some(&b'B')
        && bytes.iter().zip(b"BZh").all(|(found, expected)| found == expected)
        && bytes.get(3).is_none_or(|level| (b'1'..=b'9').contains(level))
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
        check(b"BZ", Compression::Bzip2);
        check(b"BZh91AY", Compression::Bzip2);
        check(b"BZh0", Compression::Plain);
        check(b"BAM\x01", Compression::Plain);
        check(b"\xfd7", Compression::Xz);
        check(b"\xfd7zXZ\0\0\x04", Compression::Xz);
        check(b"\xfd7zXZ\x01", Compression::Plain);
    }
}
