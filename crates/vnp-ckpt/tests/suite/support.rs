//! Checkpoints to test with, and their bytes.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use fs_err as fs;
use vnp_ckpt::{
    Checkpoint, CheckpointBuilder, Error, ErrorKind, Limits, Producer, RowRange, Tensor, Value,
    atomic_save, open_reader,
};

use crate::tables::{sha256, sums};

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
    written("a.vnp", |path| atomic_save(path, checkpoint))
}

/// The bytes of the file that is written under this name.
pub(crate) fn written(name: &str, write: impl FnOnce(&Path) -> Result<(), Error>) -> Vec<u8> {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join(name);
    write(&path).unwrap();
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

/// The name of the variant of an error's kind.
#[cfg(any(feature = "torch", feature = "safetensors"))]
pub(crate) fn variant(error: &Error) -> String {
    let text = format!("{:?}", error.kind());
    text.chars().take_while(char::is_ascii_alphanumeric).collect()
}

/// A file must be refused by this limit.
#[track_caller]
pub(crate) fn check_limit(bytes: &[u8], limits: Limits, expected: &str) {
    match kind_in_file(decode_within(bytes, &limits)) {
        Err(ErrorKind::LimitExceeded { limit, allowed, found }) => {
            assert_eq!(limit, expected);
            assert!(found > allowed);
        }
        other => panic!("{expected}: {other:?}"),
    }
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

/// The Python to test with, unless it lacks one of these modules: then the test is skipped.
pub(crate) fn python(modules: &str) -> Option<String> {
    let python = std::env::var("PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let probe = Command::new(&python).args(["-c", &format!("import {modules}")]).output();
    if !probe.is_ok_and(|output| output.status.success()) {
        println!("skipped: `{python}` with {modules} is not here (set PYTHON to one)");
        return None;
    }
    Some(python)
}

/// Reads the `SHA256SUMS` of a folder of fixtures: checksums with the names of the files.
pub(crate) fn known_sums(folder: &str) -> Vec<(String, String)> {
    let text = fs::read_to_string(fixtures().join(folder).join("SHA256SUMS")).unwrap();
    let known = sums(&text).unwrap().into_iter();
    known.map(|(sum, name)| (sum.to_owned(), name.to_owned())).collect()
}

/// The checksums that these files have, with their names.
pub(crate) fn actual_sums(files: &[PathBuf]) -> Vec<(String, String)> {
    files.iter().map(|path| (sha256(&fs::read(path).unwrap()), name(path))).collect()
}

/// The name of a file.
pub(crate) fn name(path: &Path) -> String {
    path.file_name().unwrap().to_str().unwrap().to_owned()
}
