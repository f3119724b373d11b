//! Writing FASTA in the format that a file's name says: plain, BGZF, or Zstandard.

use std::io::{self, Write};
use std::path::Path;

use flate2::{Compression, GzBuilder};
use vnp_escape::escaped_path;

/// Bytes of one block of BGZF before compression: with the header it stays below 64 kB, whatever they are.
const BLOCK_BYTES: usize = 0xff00;
/// Other formats of compression and of sequences, which are not written.
const REFUSED: [&str; 41] = [
    "2bit",
    "7z",
    "bam",
    "br",
    "bz",
    "bz2",
    "bzip2",
    "cram",
    "csv",
    "deflate",
    "fastq",
    "fq",
    "gb",
    "gbk",
    "gzip",
    "h5",
    "json",
    "lz",
    "lz4",
    "lzma",
    "lzo",
    "npy",
    "npz",
    "parquet",
    "pt",
    "pth",
    "rar",
    "safetensors",
    "sam",
    "sz",
    "tar",
    "tbz2",
    "tgz",
    "tsv",
    "txz",
    "tzst",
    "vnp",
    "xz",
    "z",
    "zip",
    "zlib",
];

/// A writer of text in the format that the name of its file says.
///
/// `.gz`, `.bgz` and `.bgzf` are written as BGZF, which every reader of gzip reads, and which tools such
/// as samtools can index; `.zst` and `.zstd` as Zstandard; everything else as plain text.
///
/// ```
/// use std::io::Write;
/// use std::path::Path;
///
/// let mut out = vnp_seq::Encoder::new(Vec::new(), Path::new("orfs.fa.gz"))?;
/// out.write_all(b">a\nACGT\n")?;
/// assert_eq!(out.finish()?[..2], [0x1f, 0x8b]);
/// assert!(vnp_seq::Encoder::new(Vec::new(), Path::new("orfs.fa.xz")).is_err());
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug)]
pub struct Encoder<W: Write>(Format<W>);

enum Format<W: Write> {
    Plain(W),
    Bgzf { out: W, block: Vec<u8> },
    Zstd(zstd::Encoder<'static, W>),
}

impl<W: Write> std::fmt::Debug for Format<W> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Plain(_) => "Plain",
            Self::Bgzf { .. } => "Bgzf",
            Self::Zstd(_) => "Zstd",
        })
    }
}

impl<W: Write> Encoder<W> {
    /// Begins a file of the format that `path` names.
    ///
    /// # Errors
    /// [`io::ErrorKind::InvalidInput`] for the name of a format that is not written.
    pub fn new(out: W, path: &Path) -> io::Result<Self> {
        let extension = |path: &Path| {
            path.extension().unwrap_or_default().to_string_lossy().to_ascii_lowercase()
        };
        let last = extension(path);
        let format = match &*last {
            "gz" | "bgz" | "bgzf" => Format::Bgzf { out, block: Vec::new() },
            "zst" | "zstd" => Format::Zstd(zstd::Encoder::new(out, 0)?),
            _ => Format::Plain(out),
        };
        let before = match format {
            Format::Plain(_) => last,
            _ => extension(Path::new(path.file_stem().unwrap_or_default())),
        };
        if REFUSED.contains(&&*before) {
            let text = format!(
                "cannot write `{}`: .{before} is not a format of FASTA that vnp writes: give a name \
                 that ends in .fa, .faa, .gz, .bgz or .zst",
                escaped_path(path)
            );
            return Err(io::Error::new(io::ErrorKind::InvalidInput, text));
        }
        Ok(Self(format))
    }

    /// Ends the file and returns what it was written to.
    ///
    /// # Errors
    /// Those of writing.
    pub fn finish(self) -> io::Result<W> {
        match self.0 {
            Format::Plain(out) => Ok(out),
            Format::Zstd(encoder) => encoder.finish(),
            Format::Bgzf { mut out, block } => {
                if !block.is_empty() {
                    write_block(&mut out, &block)?;
                }
                // An empty block marks the end of a complete file.
                write_block(&mut out, &[])?;
                Ok(out)
            }
        }
    }
}

impl<W: Write> Write for Encoder<W> {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        match &mut self.0 {
            Format::Plain(out) => out.write(buffer),
            Format::Zstd(encoder) => encoder.write(buffer),
            Format::Bgzf { out, block } => {
                let taken = buffer.len().min(BLOCK_BYTES - block.len());
                let (taken, _) = buffer.split_at(taken);
                block.extend_from_slice(taken);
                if block.len() == BLOCK_BYTES {
                    write_block(out, block)?;
                    block.clear();
                }
                Ok(taken.len())
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match &mut self.0 {
            Format::Plain(out) => out.flush(),
            Format::Zstd(encoder) => encoder.flush(),
            Format::Bgzf { out, .. } => out.flush(),
        }
    }
}

/// Writes a gzip member whose extra field holds its size less 1, as the SAM specification, section 4.1,
/// describes BGZF.
fn write_block(out: &mut impl Write, bytes: &[u8]) -> io::Result<()> {
    const SIZE_AT: usize = 16;
    let extra = [b'B', b'C', 2, 0, 0, 0];
    let member = GzBuilder::new().extra(extra).operating_system(255);
    let mut encoder = member.write(Vec::new(), Compression::default());
    encoder.write_all(bytes)?;
    let mut member = encoder.finish()?;
    let size = u16::try_from(member.len() - 1).map_err(io::Error::other)?;
    let field = member.get_mut(SIZE_AT..SIZE_AT + 2).ok_or(io::ErrorKind::InvalidData)?;
    field.copy_from_slice(&size.to_le_bytes());
    out.write_all(&member)
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;

    fn encoded(name: &str, text: &[u8]) -> io::Result<Vec<u8>> {
        let mut out = Encoder::new(Vec::new(), Path::new(name))?;
        for piece in text.chunks(7919) {
            out.write_all(piece)?;
        }
        out.finish()
    }

    fn text(bytes: usize) -> Vec<u8> {
        let mut state = 1_u32;
        let next = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 24) as u8
        };
        std::iter::repeat_with(next).take(bytes).collect()
    }

    #[test]
    fn what_is_written_is_what_is_read() {
        for bytes in [0, 1, BLOCK_BYTES - 1, BLOCK_BYTES, BLOCK_BYTES + 1, 3 * BLOCK_BYTES + 5] {
            let text = text(bytes);
            assert_eq!(encoded("a.fa", &text).unwrap(), text);
            for name in ["a.fa.gz", "a.bgz", "a.BGZF", "A.FA.GZ"] {
                let file = encoded(name, &text).unwrap();
                let mut read = Vec::new();
                flate2::read::MultiGzDecoder::new(&*file).read_to_end(&mut read).unwrap();
                assert_eq!(read, text, "{name} {bytes}");
                // Each block says where the next one begins, and the last one is empty.
                let (mut at, mut blocks) = (0, 0);
                while at < file.len() {
                    assert_eq!(file[at + 12..at + 16], [b'B', b'C', 2, 0]);
                    at += usize::from(u16::from_le_bytes([file[at + 16], file[at + 17]])) + 1;
                    blocks += 1;
                }
                assert_eq!((at, blocks), (file.len(), bytes.div_ceil(BLOCK_BYTES) + 1));
                let end = &file[file.len() - 28..];
                assert_eq!((end[16], &end[18..]), (27, &[3, 0, 0, 0, 0, 0, 0, 0, 0, 0][..]));
            }
            for name in ["a.fa.zst", "a.zstd"] {
                assert_eq!(zstd::decode_all(&*encoded(name, &text).unwrap()).unwrap(), text);
            }
        }
    }

    #[test]
    fn other_formats_are_refused_by_name() {
        for (name, extension) in
            [("a.fa.bz2", ".bz2"), ("a.XZ", ".xz"), ("a.fastq.gz", ".fastq"), ("a.bam", ".bam")]
        {
            let error = encoded(name, b"").unwrap_err();
            let text = error.to_string();
            assert!(text.contains(name) && text.contains(extension), "{text}");
        }
        for name in ["a", "a.fna", "a.txt", "/dev/stdout", "xz", "a.out"] {
            assert_eq!(encoded(name, b"x").unwrap(), b"x");
        }
    }
}
