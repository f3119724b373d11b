//! Files that are often given by mistake in place of weights or checkpoints, known by their first bytes.

/// What a file is instead, and what to do about it.
///
/// ```
/// use vnp_ckpt::Mistaken;
///
/// let pointer = Mistaken::of(b"version https://git-lfs.github.com/spec/v1\noid sha256:00\n");
/// assert_eq!(pointer, Some(Mistaken::LFS_POINTER));
/// assert_eq!(Mistaken::of(b"\x89VNP\r\n\x1a\n"), None);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Mistaken {
    /// What it is: `a web page`.
    pub what: &'static str,
    /// What to do.
    pub remedy: &'static str,
}

impl Mistaken {
    /// How many of a file's first bytes are worth giving to [`Mistaken::of`].
    pub const START_BYTES: usize = 512;

    /// The pointer that git leaves in place of a large file that it did not fetch.
    pub const LFS_POINTER: Self = Self {
        what: "a pointer of git-lfs, not the file that it points to",
        remedy: "run `git lfs pull` in that clone, or download the file itself",
    };

    /// A file without bytes.
    pub const EMPTY: Self = Self { what: "an empty file", remedy: "download or copy it again" };

    const WEB_PAGE: Self = Self {
        what: "a web page, such as the error page of a failed download",
        remedy: "download the file itself (on Hugging Face the address has `resolve` where the page's has `blob`)",
    };
    const COMPRESSED: Self = Self { what: "a compressed file", remedy: "unpack it first" };
    const TAR: Self = Self { what: "a tar archive", remedy: "unpack it first" };
    const HDF5: Self = Self {
        what: "an HDF5 file, as Keras writes",
        remedy: "give weights of PyTorch or safetensors",
    };
    const GGUF: Self =
        Self { what: "a GGUF file", remedy: "give weights of PyTorch or safetensors" };
    const NPY: Self =
        Self { what: "a numpy array", remedy: "give a file with the names of its tensors" };
    const PICKLE: Self = Self {
        what: "a pickle that torch.save did not write",
        remedy: "save the state_dict with torch.save",
    };
    pub(super) const TEXT: Self = Self {
        what: "a text, such as the error message of a failed download",
        remedy: "download or copy the file again",
    };

    /// The mistake that a file with these first bytes is; `None` for one of another kind, which may
    /// be what it should be.
    #[must_use]
    pub fn of(start: &[u8]) -> Option<Self> {
        const COMPRESSED: [&[u8]; 4] = [b"\x1f\x8b", b"\x28\xb5\x2f\xfd", b"\xfd7zXZ\0", b"BZh"];
        let start = start.get(..Self::START_BYTES).unwrap_or(start);
        if start.is_empty() {
            return Some(Self::EMPTY);
        }
        if start.starts_with(b"version https://git-lfs") {
            return Some(Self::LFS_POINTER);
        }
        if COMPRESSED.iter().any(|magic| start.starts_with(magic)) {
            return Some(Self::COMPRESSED);
        }
        if start.get(257..262) == Some(b"ustar") {
            return Some(Self::TAR);
        }
        if start.starts_with(b"\x89HDF\r\n") {
            return Some(Self::HDF5);
        }
        if start.starts_with(b"GGUF") {
            return Some(Self::GGUF);
        }
        if start.starts_with(b"\x93NUMPY") {
            return Some(Self::NPY);
        }
        if let [0x80, 2..=5, ..] = start {
            return (!is_old_torch(start)).then_some(Self::PICKLE);
        }
        let text = start.strip_prefix(b"\xef\xbb\xbf").unwrap_or(start).trim_ascii_start();
        if text.first() == Some(&b'<') {
            return Some(Self::WEB_PAGE);
        }
        // JSON may be an index, a config or a tokenizer.
        let is_text = |byte: &u8| matches!(byte, b'\t' | b'\n' | b'\r' | b' '..=b'~' | 0x80..);
        let reads_as_text = text.iter().all(is_text) && starts_as_utf8(text);
        (reads_as_text && !matches!(text.first(), Some(b'{' | b'['))).then_some(Self::TEXT)
    }
}

/// Whether a file starts as PyTorch wrote before 1.6: with a pickle of protocol 2 to 5 that is the
/// integer 0x1950a86a20f9469cfc6c; from 4 on it is in a frame.
pub(super) fn is_old_torch(start: &[u8]) -> bool {
    let number = match start {
        [0x80, 4..=5, 0x95, frame @ ..] => frame.get(8..).unwrap_or_default(),
        [0x80, 2..=5, number @ ..] => number,
        _ => &[],
    };
    number.starts_with(b"\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19")
}

/// Whether bytes are UTF-8, but for a letter that the end may cut.
fn starts_as_utf8(bytes: &[u8]) -> bool {
    match std::str::from_utf8(bytes) {
        Ok(_) => true,
        Err(error) => error.error_len().is_none(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(start: &[u8], expected: Option<Mistaken>) {
        assert_eq!(Mistaken::of(start), expected, "{:?}", String::from_utf8_lossy(start));
    }

    #[test]
    fn files_by_their_first_bytes() {
        check(b"", Some(Mistaken::EMPTY));
        check(b"version https://git-lfs.github.com/spec/v1\noid", Some(Mistaken::LFS_POINTER));
        check(b"<!DOCTYPE html>", Some(Mistaken::WEB_PAGE));
        check(b"\xef\xbb\xbf\n <html lang=\"en\">", Some(Mistaken::WEB_PAGE));
        check(b"\x1f\x8b\x08\0", Some(Mistaken::COMPRESSED));
        check(b"BZh9", Some(Mistaken::COMPRESSED));
        check(b"\x80\x02}q\x00.", Some(Mistaken::PICKLE));
        check(b"\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.", None);
        check(b"Entry not found", Some(Mistaken::TEXT));
        check(
            "Fichier introuvable \u{e9}".as_bytes().split_last().unwrap().1,
            Some(Mistaken::TEXT),
        );
        check(b">read1\nACGT", Some(Mistaken::TEXT));
        check(b"{\"weight_map\": {}}", None);
        check(b"PK\x03\x04\0\0", None);
        check(b"\x89VNP\r\n\x1a\n", None);
        check(b"\x38\0\0\0\0\0\0\0{\"a\":", None);
        check(b"\xff\xff\xff\xff\xff", None);
    }
}
