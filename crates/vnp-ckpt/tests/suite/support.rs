//! Checkpoints to test with, and their bytes.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use fs_err as fs;
use vnp_ckpt::{
    Checkpoint, CheckpointBuilder, Error, ErrorKind, Limits, Producer, RowRange, Tensor, Value,
    open_reader,
};

/// A small checkpoint with everything in it, the same at every call.
pub(crate) fn sample() -> Checkpoint {
    builder()
        .tensor(
            "embedding",
            Tensor::from_f32([3, 2], vec![0.0, -0.0, 1.5, 2.5, 3.5, 1e-40]).unwrap(),
        )
        .tensor("status", Tensor::from_u8([3], vec![0, 1, 2]).unwrap())
        .metadata("expected_length", 500)
        .metadata("device", "cpu")
        .build()
        .unwrap()
}

/// Three rows without tensors.
pub(crate) fn builder() -> CheckpointBuilder {
    Checkpoint::builder("nucleotide")
        .rows(RowRange::new(8, 11))
        .ids(vec!["a_chunk_1F1".into(), "".into(), "b|\n\0".into()])
        .created("2026-01-31T23:59:59Z".into())
        .producer(Producer { name: "tests".into(), version: "1".into() })
}

/// The bytes of the file that a save makes.
pub(crate) fn encode(checkpoint: &Checkpoint) -> Vec<u8> {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("a.vnp");
    vnp_ckpt::atomic_save(&path, checkpoint).unwrap();
    fs::read(path).unwrap()
}

pub(crate) fn decode(bytes: &[u8]) -> Result<Checkpoint, Error> {
    decode_within(bytes, &Limits::default())
}

pub(crate) fn decode_within(bytes: &[u8], limits: &Limits) -> Result<Checkpoint, Error> {
    decode_as(bytes, bytes.len() as u64, limits)
}

/// Reads bytes whose stated length is `length_bytes`.
pub(crate) fn decode_as(
    bytes: &[u8],
    length_bytes: u64,
    limits: &Limits,
) -> Result<Checkpoint, Error> {
    let input = std::io::Cursor::new(bytes.to_vec());
    open_reader(Path::new("a.vnp"), input, length_bytes, limits)?.load()
}

/// The kind of the error, which must name its file.
pub(crate) fn kind_in_file<T>(result: Result<T, Error>) -> Result<T, ErrorKind> {
    result.map_err(|error| {
        assert!(error.path().is_some(), "{error:?}");
        error.into_kind()
    })
}

/// Values by name.
pub(crate) fn map<const N: usize>(entries: [(&str, Value); N]) -> BTreeMap<String, Value> {
    entries.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()
}

/// The root of the repository.
pub(crate) fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

pub(crate) fn fixtures() -> PathBuf {
    repository().join("tests/fixtures")
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
