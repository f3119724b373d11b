//! Files that are written from front to back, and read back before they count.

use std::fs::File;
use std::io::{self, BufWriter, Read, Seek, Write};
use std::path::Path;

use super::temporary::{Temporary, not_committed};
use crate::digest::{Digest, Hasher};
use crate::error::Error;

/// How much is hashed and written at a time: little enough to stay in a core's cache.
const STEP_BYTES: usize = 256 << 10;

/// The writer that an export is written to.
pub(crate) type Sink<'f> = BufWriter<Hashed<&'f mut File>>;

/// Saves what `write` writes, which is `file_bytes` long, under `path`. It is read back and compared:
/// a write that was lost or changed on its way to the file is found while the old file is still
/// there.
pub(crate) fn commit(
    path: &Path,
    file_bytes: u64,
    write: impl FnOnce(&mut Sink<'_>) -> io::Result<()>,
) -> Result<(), Error> {
    let mut temporary = Temporary::create(path)?;
    let digest = write_all(temporary.file_mut(), file_bytes, write)
        .map_err(|source| not_committed(path, source))?;
    temporary.commit(|file| read_back(file, file_bytes, digest))
}

/// Writes the file; returns the digest of the bytes written.
fn write_all(
    file: &mut File,
    file_bytes: u64,
    write: impl FnOnce(&mut Sink<'_>) -> io::Result<()>,
) -> io::Result<Digest> {
    let mut sink = BufWriter::with_capacity(STEP_BYTES, Hashed::new(file));
    write(&mut sink)?;
    let written = sink.into_inner().map_err(io::IntoInnerError::into_error)?;
    if written.length != file_bytes {
        let length = written.length;
        return Err(damaged(format!("{file_bytes} bytes were planned, {length} were written")));
    }
    Ok(written.digest())
}

fn read_back(mut file: &File, length: u64, digest: Digest) -> io::Result<()> {
    file.rewind()?;
    let mut found = Hashed::new(io::sink());
    let mut step = vec![0; STEP_BYTES];
    loop {
        match file.read(&mut step)? {
            0 => break,
            read => found.write_all(step.split_at(read).0)?,
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

/// A writer that hashes and counts the bytes it passes on.
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
        let (step, _) = bytes.split_at(bytes.len().min(STEP_BYTES));
        let written = self.out.write(step)?;
        self.hasher.update(step.split_at(written).0);
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
    use crate::error::kind::ErrorKind;

    #[track_caller]
    fn check(bytes: &[u8]) {
        let mut file = tempfile::tempfile().unwrap();
        let length = bytes.len() as u64;
        let digest = write_all(&mut file, length, |out| out.write_all(bytes)).unwrap();
        assert_eq!(digest, Digest::of(bytes));
        read_back(&file, length, digest).unwrap();
        assert!(read_back(&file, length, Digest::of(b"else")).is_err());
        assert!(read_back(&file, length + 1, digest).is_err());
    }

    #[test]
    fn what_is_written_is_read_back() {
        for length in [0, 1, STEP_BYTES, 3 * STEP_BYTES + 7] {
            check(&(0..length).map(|index| (index % 251) as u8).collect::<Vec<_>>());
        }
    }

    #[test]
    fn another_length_than_planned_is_not_committed() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("a");
        fs_err::write(&path, b"old").unwrap();
        let saved = commit(&path, 4, |out| out.write_all(b"abc")).map_err(Error::into_kind);
        let Err(ErrorKind::NotCommitted { .. }) = saved else { panic!("{saved:?}") };
        assert_eq!(fs_err::read(&path).unwrap(), b"old");
        commit(&path, 3, |out| out.write_all(b"abc")).unwrap();
        assert_eq!(fs_err::read(&path).unwrap(), b"abc");
    }
}
