//! Forged PyTorch files through the reader, for tests.

use std::io::Cursor;

use vnp_forge::items::{archive, bytes, pickle};

use super::TorchFile;
use crate::checkpoint::Checkpoint;
use crate::error::kind::ErrorKind;
use crate::limits::Limits;
use crate::read::container::{Container, Origin};

pub(crate) fn open(bytes: &[u8]) -> Result<TorchFile<Cursor<Vec<u8>>>, ErrorKind> {
    open_within(bytes, &Limits::default())
}

pub(crate) fn open_within(
    bytes: &[u8],
    limits: &Limits,
) -> Result<TorchFile<Cursor<Vec<u8>>>, ErrorKind> {
    open_as(bytes, limits, false)
}

pub(crate) fn open_as(
    bytes: &[u8],
    limits: &Limits,
    weights_only: bool,
) -> Result<TorchFile<Cursor<Vec<u8>>>, ErrorKind> {
    let length_bytes = bytes.len() as u64;
    let modified = "2026-01-31T23:59:59Z";
    let origin = Origin { length_bytes, modified, limits, weights_only };
    let input = Cursor::new(bytes.to_vec());
    if bytes.starts_with(b"PK") {
        TorchFile::open(input, origin)
    } else {
        TorchFile::open_legacy(input, origin)
    }
}

pub(crate) fn load(bytes: &[u8]) -> Result<Checkpoint, ErrorKind> {
    Box::new(open(bytes)?).load()
}

/// Loads an archive of one value and the storage `0` of these floats.
pub(crate) fn load_value(value: &[u8], storage: &[f32]) -> Result<Checkpoint, ErrorKind> {
    load(&archive(&pickle(value), &[("0", &bytes(storage))]))
}
