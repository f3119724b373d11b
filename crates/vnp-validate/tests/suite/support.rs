//! Files to validate, good and bad.

use std::path::{Path, PathBuf};

use fs_err as fs;
use tempfile::TempDir;
use vnp_ckpt::{Checkpoint, CheckpointBuilder, Digest, Dtype, RowRange, Tensor, atomic_save};
use vnp_validate::{Options, Schema, TensorRule};

/// Two rows with ids, without tensors.
pub(crate) fn builder() -> CheckpointBuilder {
    Checkpoint::builder("nucleotide").rows(RowRange::new(0, 2)).ids(vec!["a".into(), "b".into()])
}

pub(crate) fn embedding(values: [f32; 6]) -> Tensor {
    Tensor::from_f32([2, 3], values.to_vec()).unwrap()
}

pub(crate) fn good() -> Checkpoint {
    builder().tensor("embedding", embedding([0.5; 6])).build().unwrap()
}

pub(crate) fn schema() -> Schema {
    Schema::new("nucleotide").tensor(TensorRule::new("embedding").dtype(Dtype::F32).trailing([3]))
}

pub(crate) fn with_schema() -> Options {
    Options { schema: Some(schema()), ..Options::default() }
}

pub(crate) fn saved(directory: &Path, checkpoint: &Checkpoint) -> PathBuf {
    let path = directory.join("part.vnp");
    atomic_save(&path, checkpoint).unwrap();
    path
}

/// A good file in a directory of its own.
pub(crate) fn good_file() -> (TempDir, PathBuf) {
    let directory = tempfile::tempdir().unwrap();
    let path = saved(directory.path(), &good());
    (directory, path)
}

/// Changes the bytes of a file.
pub(crate) fn change(path: &Path, change: impl FnOnce(&mut Vec<u8>)) {
    let mut bytes = fs::read(path).unwrap();
    change(&mut bytes);
    fs::write(path, bytes).unwrap();
}

/// Replaces a text in the header by one of the same length, and makes the digests fit again.
pub(crate) fn forge(path: &Path, from: &str, to: &str) {
    assert_eq!(from.len(), to.len());
    change(path, |bytes| {
        let length = u64::from_le_bytes(bytes[16..24].try_into().unwrap()) as usize;
        let header = &mut bytes[64..64 + length];
        let at = header.windows(from.len()).position(|window| window == from.as_bytes()).unwrap();
        header[at..at + to.len()].copy_from_slice(to.as_bytes());
        let digest = Digest::of(header);
        bytes[32..48].copy_from_slice(digest.as_bytes());
        let digest = Digest::of(&bytes[..48]);
        bytes[48..64].copy_from_slice(digest.as_bytes());
    });
}
