//! Reading a native file back before it gets its name.

use std::fs::File;
use std::io::{self, Read, Seek};
use std::path::Path;

use crate::header::preamble::PREAMBLE_BYTES;
use crate::limits::Limits;
use crate::read::native::NativeFile;

/// Reads the file as a reader would, so that a write that was lost or changed on its way to the
/// file is found while the old file is still there.
pub(super) fn read_back(
    path: &Path,
    mut file: &File,
    preamble: &[u8],
    file_bytes: u64,
) -> io::Result<()> {
    let length = file.metadata()?.len();
    if length != file_bytes {
        let reason = format!("{file_bytes} bytes were written, the file has {length}");
        return Err(io::Error::new(io::ErrorKind::InvalidData, reason));
    }
    file.rewind()?;
    let mut found = Vec::with_capacity(preamble.len());
    file.take(PREAMBLE_BYTES).read_to_end(&mut found)?;
    if found != preamble {
        let reason = "the file does not read back as it was written";
        return Err(io::Error::new(io::ErrorKind::InvalidData, reason));
    }
    file.rewind()?;
    NativeFile::open_within(file, length, &Limits::default())
        .and_then(|mut native| native.verify_payloads())
        .map_err(|kind| io::Error::other(kind.in_file(path)))
}

#[cfg(test)]
mod tests {
    use fs_err as fs;

    use super::*;
    use crate::checkpoint::Checkpoint;
    use crate::write::atomic::atomic_save;

    #[test]
    fn a_file_that_was_changed_on_its_way_is_not_committed() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("a.vnp");
        let checkpoint = Checkpoint::builder("k").build().unwrap();
        atomic_save(&path, &checkpoint).unwrap();
        let whole = fs::read(&path).unwrap();
        let check = |bytes: &[u8]| {
            fs::write(&path, bytes).unwrap();
            let file = File::open(&path).unwrap();
            read_back(&path, &file, &whole[..64], whole.len() as u64)
        };
        assert!(check(&whole).is_ok());
        for index in 0..whole.len() {
            let mut bytes = whole.clone();
            bytes[index] ^= 1;
            assert!(check(&bytes).is_err(), "byte {index}");
            assert!(check(&whole[..index]).is_err(), "cut at {index}");
        }
    }
}
