//! What holds for any bytes at all; shared with the fuzz targets.

use std::io::Cursor;
use std::path::Path;

use vnp_ckpt::{Checkpoint, Error, ErrorKind, Limits, load_with_compatibility, open_reader};

/// Limits that keep what is made of a small file small.
pub(crate) fn small() -> Limits {
    Limits {
        header_values: 1 << 12,
        ids: 1 << 12,
        id_bytes: 1 << 20,
        pickle_bytes: 1 << 20,
        pickle_nodes: 1 << 14,
        expanded_bytes: 1 << 20,
        ..Limits::default()
    }
}

/// Everything that a file of these bytes holds.
pub(crate) fn load(bytes: &[u8], limits: &Limits) -> Result<Checkpoint, Error> {
    let name = Path::new("bytes");
    open_reader(name, Cursor::new(bytes.to_vec()), bytes.len() as u64, limits)?.load()
}

/// Reads `bytes` in every way: the ways agree, an error says what it is about, and what is read
/// can be saved and read again. What was read, if anything.
///
/// # Panics
/// When one of this does not hold.
pub(crate) fn check(bytes: &[u8], scratch: &Path) -> Option<Checkpoint> {
    let limits = small();
    let name = Path::new("bytes");
    let length = bytes.len() as u64;
    let opened = open_reader(name, Cursor::new(bytes.to_vec()), length, &limits);
    let mut file = match opened {
        Ok(file) => file,
        Err(error) => {
            check_error(&error);
            return None;
        }
    };
    let header = file.header().clone();
    let verified = file.verify();
    let ids = file.ids();
    let tensors: Result<Vec<_>, _> = header
        .sections
        .iter()
        .filter(|section| section.name != "ids")
        .map(|section| Ok((section.name.clone(), file.tensor(&section.name)?.unwrap())))
        .collect();
    let loaded = file.load();
    let is_verified = verified.is_ok();
    for error in [verified.err(), ids.as_ref().err().map(again), tensors.as_ref().err().map(again)]
        .into_iter()
        .flatten()
        .chain(loaded.as_ref().err().map(again))
    {
        check_error(&error);
    }
    let loaded = match loaded {
        Ok(loaded) => loaded,
        // What cannot be loaded as a whole has a part that cannot be loaded.
        Err(error) => {
            let in_parts = is_verified && ids.is_ok() && tensors.is_ok();
            assert!(!in_parts, "only as a whole: {error:?}");
            return None;
        }
    };
    assert!(is_verified, "loaded but not verified");
    assert_eq!(loaded.ids(), ids.unwrap());
    let tensors = tensors.unwrap();
    let by_name: Vec<_> = tensors.iter().map(|(name, tensor)| (name.as_str(), tensor)).collect();
    assert_eq!(loaded.tensors().collect::<Vec<_>>(), by_name);
    assert_eq!(loaded.ids().len() as u64, loaded.rows().len());
    check_saved(&loaded, scratch);
    Some(loaded)
}

fn again(error: &Error) -> Error {
    // Errors cannot be cloned; what matters here survives as the kind of another.
    if error.is_corrupted() || error.is_incompatible() {
        return ErrorKind::NotACheckpoint { mistaken: None }.in_file(Path::new("bytes"));
    }
    let source = std::io::Error::other(error.to_string());
    ErrorKind::Io { source }.in_file(Path::new("bytes"))
}

fn check_error(error: &Error) {
    assert!(error.is_corrupted() != error.is_incompatible(), "neither or both: {error:?}");
    assert_eq!(error.path(), Some(Path::new("bytes")), "{error:?}");
    let text = error.to_string();
    assert!(text.len() < 2_000, "a message of {} bytes: {error:?}", text.len());
}

fn check_saved(checkpoint: &Checkpoint, scratch: &Path) {
    match vnp_ckpt::atomic_save(scratch, checkpoint).map_err(Error::into_kind) {
        Ok(()) => {}
        // What PyTorch nests or names may be more than the native format takes.
        Err(ErrorKind::LimitExceeded { .. } | ErrorKind::Inconsistent { .. }) => return,
        Err(other) => panic!("cannot be saved: {other:?}"),
    }
    let read = load_with_compatibility(scratch, &Limits::default()).unwrap();
    let all = |checkpoint: &Checkpoint| {
        let tensors = checkpoint.tensors().map(|(name, tensor)| (name.to_owned(), tensor.clone()));
        (
            (checkpoint.ids().to_vec(), tensors.collect::<Vec<_>>()),
            (checkpoint.kind().to_owned(), checkpoint.rows(), checkpoint.status()),
            checkpoint.metadata().clone(),
        )
    };
    assert!(all(checkpoint) == all(&read), "read back: {read:?}\nsaved: {checkpoint:?}");
}
