//! Files that are written from front to back, and read back before they count.

use std::fs::File;
use std::io::{self, BufWriter, Read, Seek, Write};

use crate::digest::{Digest, Hasher};

/// How much is hashed and written at a time: little enough to stay in a core's cache.
const STEP_BYTES: usize = 256 << 10;

/// What the contents of an export are written to.
pub(crate) type Sink<'f> = BufWriter<Hashed<&'f mut File>>;

/// Lets `write` fill the file, then reads it and compares: a write that was lost or changed on its
/// way to the file is found while the old file is still there.
pub(crate) fn write_and_read_back(
    file: &mut File,
    file_bytes: u64,
    write: impl FnOnce(&mut Sink<'_>) -> io::Result<()>,
) -> io::Result<()> {
    let mut sink = BufWriter::with_capacity(STEP_BYTES, Hashed::new(&mut *file));
    write(&mut sink)?;
    let written = sink.into_inner().map_err(io::IntoInnerError::into_error)?;
    let (length, digest) = (written.length, written.digest());
    if length != file_bytes {
        return Err(damaged(format!("{file_bytes} bytes were planned, {length} were written")));
    }
    read_back(file, length, digest)
}

fn read_back(file: &mut File, length: u64, digest: Digest) -> io::Result<()> {
    file.rewind()?;
    let mut found = Hashed::new(io::sink());
    let mut step = vec![0; STEP_BYTES];
    loop {
        match file.read(&mut step)? {
            0 => break,
            read => found.write_all(step.get(..read).unwrap_or_default())?,
        }
    }
    if found.length != length {
        let found = found.length;
        return Err(damaged(format!("{length} bytes were written, the file has {found}")));
    }
    if found.digest() != digest {
        return Err(damaged("the file does not read back as it was written".to_owned()));
    }
    Ok(())
}

fn damaged(reason: String) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, reason)
}

/// Hashes and counts what it writes.
pub(crate) struct Hashed<W> {
    out: W,
    hasher: Hasher,
    length: u64,
}

impl<W> Hashed<W> {
    fn new(out: W) -> Self {
        Self { out, hasher: Hasher::new(), length: 0 }
    }

    fn digest(&self) -> Digest {
        self.hasher.finish()
    }
}

impl<W: Write> Write for Hashed<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let step = bytes.get(..bytes.len().min(STEP_BYTES)).unwrap_or_default();
        let written = self.out.write(step)?;
        self.hasher.update(step.get(..written).unwrap_or_default());
        self.length += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file() -> File {
        tempfile::tempfile().unwrap()
    }

    #[test]
    fn what_is_written_is_read_back() {
        for length in [0, 1, STEP_BYTES, 3 * STEP_BYTES + 7] {
            let bytes: Vec<u8> = (0..length).map(|index| (index % 251) as u8).collect();
            write_and_read_back(&mut file(), length as u64, |out| out.write_all(&bytes)).unwrap();
        }
    }

    #[test]
    fn another_length_than_planned_is_an_error() {
        let saved = write_and_read_back(&mut file(), 4, |out| out.write_all(b"abc"));
        assert_eq!(saved.unwrap_err().kind(), io::ErrorKind::InvalidData);
    }

    #[test]
    fn a_change_behind_the_writer_is_seen() {
        let mut file = file();
        write_and_read_back(&mut file, 3, |out| out.write_all(b"abc")).unwrap();
        read_back(&mut file, 3, Digest::of(b"abc")).unwrap();
        assert!(read_back(&mut file, 3, Digest::of(b"abd")).is_err());
        assert!(read_back(&mut file, 2, Digest::of(b"ab")).is_err());
        assert!(read_back(&mut file, 4, Digest::of(b"abcd")).is_err());
    }
}
