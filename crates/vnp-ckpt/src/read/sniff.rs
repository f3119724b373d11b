//! The format of a file, decided by its first bytes: a name proves nothing.

use std::io::{Read, SeekFrom};

use super::container::{Input, Origin};
use crate::error::kind::ErrorKind;
use crate::header::preamble::MAGIC;
use crate::read::mistaken::{Mistaken, is_old_torch};

/// The containers that can be distinguished.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    /// Ours.
    Native,
    /// The ZIP archive that PyTorch writes since 1.6.
    TorchZip,
    /// The row of pickles that PyTorch wrote before.
    TorchLegacy,
    /// safetensors: the length of a header, then JSON.
    Safetensors,
}

/// Looks at the start of a file, and goes back there.
pub(crate) fn sniff(mut input: &mut dyn Input, origin: Origin<'_>) -> Result<Format, ErrorKind> {
    let mut start = Vec::new();
    let taken = Mistaken::START_BYTES as u64;
    (&mut input).take(taken).read_to_end(&mut start).map_err(ErrorKind::io)?;
    input.seek(SeekFrom::Start(0)).map_err(ErrorKind::io)?;
    let found = kind_of(&start, origin.length_bytes);
    found.ok_or_else(|| {
        // A text is as likely one of the user's own as the message of a failed download.
        let mistaken = Mistaken::of(&start).filter(|found| *found != Mistaken::TEXT);
        ErrorKind::NotACheckpoint { mistaken }
    })
}

/// A cut file of ours is still one of ours, so that it is called truncated.
fn kind_of(start: &[u8], length_bytes: u64) -> Option<Format> {
    if start.iter().zip(MAGIC).all(|(&found, expected)| found == expected) {
        return Some(Format::Native);
    }
    if start.starts_with(b"PK\x03\x04") {
        return Some(Format::TorchZip);
    }
    if is_old_torch(start) {
        return Some(Format::TorchLegacy);
    }
    let (length, rest) = start.split_first_chunk()?;
    let fits = u64::from_le_bytes(*length).checked_add(8).is_some_and(|end| end <= length_bytes);
    (fits && rest.first() == Some(&b'{')).then_some(Format::Safetensors)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(start: &[u8], expected: Option<Format>) {
        assert_eq!(kind_of(start, 64), expected, "{start:x?}");
    }

    #[test]
    fn first_bytes() {
        check(b"\x89VNP\r\n\x1a\n\x01\0\0\0", Some(Format::Native));
        check(b"\x89VNP", Some(Format::Native));
        check(b"", Some(Format::Native));
        check(b"PK\x03\x04\0\0\x08\x08", Some(Format::TorchZip));
        check(b"PK\x05\x06", None);
        check(
            b"\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.",
            Some(Format::TorchLegacy),
        );
        check(
            b"\x80\x04\x95\x0d\0\0\0\0\0\0\0\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.",
            Some(Format::TorchLegacy),
        );
        check(b"\x80\x02}q\x00.", None);
        check(b"\x80\x04\x95\x0d\0\0\0\0\0\0\0}.", None);
        check(b"\x38\0\0\0\0\0\0\0{\"a\":", Some(Format::Safetensors));
        check(b"\x39\0\0\0\0\0\0\0{\"a\":", None);
        check(b"\xff\xff\xff\xff\xff\xff\xff\xff{\"a\":", None);
        check(b">read1\nACGT", None);
    }
}
