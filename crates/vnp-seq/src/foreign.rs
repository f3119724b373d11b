//! Recognises what is not sequence text: formats by the start of their decompressed content, and paths
//! that do not lead to a file.

use std::fs::File;
use std::io::{Error as IoError, ErrorKind};
use std::path::Path;

use vnp_escape::FileKind;

use crate::compression::{Compression, detect};
use crate::error::Error;

/// The number of bytes that [`unsupported`] inspects.
pub(crate) const INSPECTED_BYTES: usize = 4096;

const DECOMPRESS: &str = "decompress it first, for example into `-`";
const EXTRACT: &str = "extract the sequence file from it";
const TO_FASTA: &str = "convert it to FASTA";
const BASECALL: &str = "basecall it first";
const UTF_16: &str = "convert it, for example with `iconv -f UTF-16 -t UTF-8`";
const SAMTOOLS: &str = "convert it with `samtools fastq`, for example into `-`";

/// The start of a file, its name, and the remedy.
const FORMATS: &[(&[u8], &str, &str)] = &[
    (b"BAM\x01", "a BAM file", SAMTOOLS),
    (b"CRAM", "a CRAM file", SAMTOOLS),
    (b"@HD\t", "a SAM file", SAMTOOLS),
    (b"@SQ\t", "a SAM file", SAMTOOLS),
    (b"@RG\t", "a SAM file", SAMTOOLS),
    (b"@PG\t", "a SAM file", SAMTOOLS),
    (b"@CO\t", "a SAM file", SAMTOOLS),
    (b"NCBI.sra", "an SRA file", "convert it with `fasterq-dump`"),
    (b"LOCUS ", "a GenBank file", TO_FASTA),
    (b"ID   ", "an EMBL file", TO_FASTA),
    (b"CLUSTAL", "a Clustal alignment", TO_FASTA),
    (b"#NEXUS", "a NEXUS file", TO_FASTA),
    (b"\x43\x27\x41\x1a", "a 2bit file", "convert it with `twoBitToFa`"),
    (b"\x1a\x41\x27\x43", "a 2bit file", "convert it with `twoBitToFa`"),
    (b"##gff-version", "a GFF file", "give the sequences that it annotates"),
    (b"##fileformat=VCF", "a VCF file", "give the sequences that it annotates"),
    (b"\x89HDF", "an HDF5 file (fast5?)", BASECALL),
    (b"\x8bPOD", "a POD5 file", BASECALL),
    (b"BLOW5", "a BLOW5 file", BASECALL),
    (b"\xff\xfe", "text in UTF-16", UTF_16),
    (b"\xfe\xff", "text in UTF-16", UTF_16),
    (b"\0>", "text in UTF-16", UTF_16),
    (b">\0", "text in UTF-16", UTF_16),
    (
        b"version https://git-lfs.",
        "a git-lfs pointer to a file",
        "fetch the file with `git lfs pull`",
    ),
    (b"PK\x03\x04", "a zip archive", EXTRACT),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive", EXTRACT),
    (b"Rar!\x1a\x07", "a RAR archive", EXTRACT),
    (b"\x1f\x9d", "a file of `compress` (.Z)", DECOMPRESS),
    (b"\x04\x22\x4d\x18", "an lz4 file", DECOMPRESS),
    (b"LZIP", "an lzip file", DECOMPRESS),
    (b"\x5d\0\0", "an lzma file", DECOMPRESS),
    (b"<!DOCTYPE", "a web page", "download the file itself"),
    (b"<html", "a web page", "download the file itself"),
];

/// The name of a recognised but unsupported format, and the remedy.
pub(crate) fn unsupported(start: &[u8]) -> Option<(&'static str, &'static str)> {
    if start.get(257..262) == Some(b"ustar") {
        return Some(("a tar archive", EXTRACT));
    }
    if is_alignment(start) {
        return Some(("a SAM file", SAMTOOLS));
    }
    if start.len() > 4 && detect(start) != Compression::Plain {
        return Some(("compressed twice", "decompress it once, for example into `-`"));
    }
    let known = FORMATS.iter().find(|(magic, ..)| start.starts_with(magic));
    known.map(|(_, format, remedy)| (*format, *remedy))
}

/// Opens a file or a pipe, which errors call `name`.
///
/// # Errors
/// [`Error::Unsupported`] for a directory, a device or a socket; [`Error::Io`].
pub(crate) fn open_file(path: &Path, name: &Path) -> Result<File, Error> {
    // Before it is opened: opening a terminal or a tape is not without effect.
    let found = path.metadata().map_err(|cause| cannot_read(name, cause))?;
    let kind = FileKind::of(found.file_type());
    if matches!(kind, FileKind::Device | FileKind::Socket) {
        let (format, remedy) = (kind.name(), "give a file, or a pipe");
        return Err(Error::Unsupported { path: name.to_owned(), format, remedy });
    }
    File::open(path).map_err(|cause| cannot_read(name, cause))
}

/// The error of an input that cannot be opened or read, by what its path leads to.
pub(crate) fn cannot_read(path: &Path, cause: IoError) -> Error {
    let is_link = || path.symlink_metadata().is_ok_and(|metadata| metadata.is_symlink());
    let (format, remedy) = match cause.kind() {
        ErrorKind::IsADirectory => ("a directory", "give the files in it"),
        ErrorKind::NotFound if is_link() => (
            "a symbolic link to a file that does not exist",
            "restore that file or give another one",
        ),
        _ => return Error::Io { path: path.to_owned(), cause },
    };
    Error::Unsupported { path: path.to_owned(), format, remedy }
}

/// Whether the first line is that of an alignment, as in a SAM file without a header.
fn is_alignment(start: &[u8]) -> bool {
    let line = start.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let mut fields = line.split(|byte| *byte == b'\t');
    let is_number = |field: &[u8]| !field.is_empty() && field.iter().all(u8::is_ascii_digit);
    let is_cigar = |field: &[u8]| {
        field == b"*" || field.ends_with(b"M") || field.ends_with(b"S") || field.ends_with(b"=")
    };
    let [id, flag, _, position, quality, cigar]: [&[u8]; 6] =
        std::array::from_fn(|_| fields.next().unwrap_or_default());
    !matches!(id, [] | [b'>' | b'@', ..])
        && [flag, position, quality].into_iter().all(is_number)
        && is_cigar(cigar)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(start: &[u8], expected: Option<&str>) {
        assert_eq!(unsupported(start).map(|(format, _)| format), expected);
    }

    #[test]
    fn unsupported_formats_are_named() {
        check(b"PK\x03\x04", Some("a zip archive"));
        check(b"BAM\x01", Some("a BAM file"));
        check(b"CRAM\x03\0", Some("a CRAM file"));
        check(b"@HD\tVN:1.6", Some("a SAM file"));
        check(b"@PG\tID:bwa", Some("a SAM file"));
        check(b"@HD1\n", None);
        check(b"r1\t0\tchr1\t7\t60\t4M\t*\t0\t0\tACGT\tIIII\n", Some("a SAM file"));
        check(b"r1\t4\t*\t0\t0\t*\t*\t0\t0\tACGT", Some("a SAM file"));
        check(b"r1\t4\t*\t0\tx\t*\n", None);
        check(b">r1\t4\t*\t0\t0\t*\n", None);
        check(&[&[b'x'; 257], b"ustar".as_slice()].concat(), Some("a tar archive"));
        check(b"\x1f\x8b\x08\0\0\0", Some("compressed twice"));
        check(b"BZh91AY&SY", Some("compressed twice"));
        check(b"\xff\xfe>\0a\0", Some("text in UTF-16"));
        check(b">\0a\0", Some("text in UTF-16"));
        check(b"version https://git-lfs.github.com/spec/v1\n", Some("a git-lfs pointer to a file"));
        check(b"B", None);
        check(b">x", None);
        check(b"", None);
    }

    #[cfg(unix)]
    #[test]
    fn paths_without_a_file_are_named_as_what_they_are() {
        let dir = tempfile::tempdir().unwrap();
        let link = dir.path().join("link.fa");
        std::os::unix::fs::symlink("nowhere", &link).unwrap();
        let refused =
            |path: &Path| crate::reader::RecordReader::open(path).unwrap_err().to_string();
        assert!(refused(&link).contains("a symbolic link to a file that does not exist"));
        assert!(refused(dir.path()).contains("it is a directory"), "{}", refused(dir.path()));
        assert!(refused(&dir.path().join("gone.fa")).contains("No such file"));
        let socket = dir.path().join("socket.fa");
        let _listener = std::os::unix::net::UnixListener::bind(&socket).unwrap();
        assert!(refused(&socket).contains("it is a socket"), "{}", refused(&socket));
        let device = refused(Path::new("/dev/zero"));
        assert!(device.contains("/dev/zero: it is a device"), "{device}");
    }
}
