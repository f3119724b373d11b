//! Checkpoints to test with, and files put together by hand.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use fs_err as fs;
use vnp_ckpt::{
    Checkpoint, CheckpointBuilder, Digest, Error, Limits, Producer, RowRange, Tensor, Value,
    open_reader,
};

pub(crate) const MAGIC: &[u8; 8] = b"\x89VNP\r\n\x1a\n";

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

/// Reads bytes that are said to be `length_bytes` long.
pub(crate) fn decode_as(
    bytes: &[u8],
    length_bytes: u64,
    limits: &Limits,
) -> Result<Checkpoint, Error> {
    let input = std::io::Cursor::new(bytes.to_vec());
    open_reader(Path::new("a.vnp"), input, length_bytes, limits)?.load()
}

/// A preamble for a header and a file length, with the right digests.
pub(crate) fn preamble(version: (u16, u16), flags: u32, header: &[u8], file_bytes: u64) -> Vec<u8> {
    let mut bytes = MAGIC.to_vec();
    bytes.extend_from_slice(&version.0.to_le_bytes());
    bytes.extend_from_slice(&version.1.to_le_bytes());
    bytes.extend_from_slice(&flags.to_le_bytes());
    bytes.extend_from_slice(&(header.len() as u64).to_le_bytes());
    bytes.extend_from_slice(&file_bytes.to_le_bytes());
    bytes.extend_from_slice(Digest::of(header).as_bytes());
    let digest = Digest::of(&bytes);
    bytes.extend_from_slice(digest.as_bytes());
    bytes
}

/// A file of version 1.0 with this header and these payloads, each padded, all digests of the
/// preamble right.
pub(crate) fn file(header: &[u8], payloads: &[&[u8]]) -> Vec<u8> {
    let mut body = padded(header);
    payloads.iter().for_each(|payload| body.extend(padded(payload)));
    let mut bytes = preamble((1, 0), 0, header, 64 + body.len() as u64);
    bytes.extend(body);
    bytes
}

fn padded(bytes: &[u8]) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    bytes.resize(bytes.len().next_multiple_of(64), 0);
    bytes
}

pub(crate) fn map<const N: usize>(entries: [(&str, Value); N]) -> BTreeMap<String, Value> {
    entries.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()
}

/// A header to spoil: no rows, the ids of `offset` 0 and whatever `sections` follow.
pub(crate) fn header(rows: i64, sections: Vec<Value>) -> BTreeMap<String, Value> {
    map([
        ("version", "1.0".into()),
        ("status", "complete".into()),
        ("kind", "k".into()),
        ("rows", vec![Value::Int(0), Value::Int(rows)].into()),
        ("created", "2026-01-31T23:59:59Z".into()),
        ("producer", map([("name", "tests".into()), ("version", "1".into())]).into()),
        ("sections", sections.into()),
        ("metadata", BTreeMap::new().into()),
    ])
}

pub(crate) fn pack(header: &BTreeMap<String, Value>) -> Vec<u8> {
    rmp_serde::to_vec(header).unwrap()
}

/// A section of ids, at `offset`, with these bytes.
pub(crate) fn ids(count: i64, offset: i64, bytes: &[u8]) -> BTreeMap<String, Value> {
    map([
        ("name", "ids".into()),
        ("encoding", "strings".into()),
        ("count", count.into()),
        ("offset", offset.into()),
        ("length", (bytes.len() as i64).into()),
        ("digest", Digest::of(bytes).as_bytes().to_vec().into()),
    ])
}

/// A row tensor of u8.
pub(crate) fn tensor(shape: &[i64], offset: i64, bytes: &[u8]) -> BTreeMap<String, Value> {
    map([
        ("name", "t".into()),
        ("encoding", "tensor".into()),
        ("dtype", "u8".into()),
        ("shape", shape.iter().map(|&size| Value::Int(size)).collect::<Vec<_>>().into()),
        ("per_row", true.into()),
        ("offset", offset.into()),
        ("length", (bytes.len() as i64).into()),
        ("digest", Digest::of(bytes).as_bytes().to_vec().into()),
    ])
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
