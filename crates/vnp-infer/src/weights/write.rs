//! Writing a safetensors file and its digest, one tensor at a time.

#![expect(clippy::indexing_slicing, reason = "the header has every tensor of the weights")]

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::io::{Seek, SeekFrom, Write};
use std::path::Path;

use sha2::{Digest, Sha256};

use super::{TensorInfo, Weights};
use crate::error::Error;

/// Bytes hashed and written at a time: few enough to stay in a core's cache in between.
const STEP_BYTES: usize = 256 << 10;

/// Writes the tensors to `path`, widest type first, then by name, as the format's own writer does,
/// adds them to a digest as [`digest`] does, and flushes them to disk. Each tensor is read once,
/// in the order of the digest, and written to its offset in the file; one is held at a time.
pub(crate) fn write(path: &Path, weights: &Weights, hasher: &mut Sha256) -> Result<(), Error> {
    let (header, starts) = header(weights);
    let mut file = fs_err::File::create(path)?;
    file.write_all(&(header.len() as u64).to_le_bytes())?;
    file.write_all(header.as_bytes())?;
    let data_start = 8 + header.len() as u64;
    for (name, info) in weights.infos() {
        let start = starts[name];
        file.seek(SeekFrom::Start(data_start + start))?;
        let bytes = weights.bytes(name)?;
        digest_info(name, info, bytes.len(), hasher);
        for step in bytes.chunks(STEP_BYTES) {
            hasher.update(step);
            file.write_all(step)?;
        }
    }
    file.sync_all()?;
    Ok(())
}

/// The header, and the offset of each tensor's elements behind it.
fn header(weights: &Weights) -> (String, BTreeMap<&str, u64>) {
    let mut infos: Vec<(&str, &TensorInfo)> = weights.infos().collect();
    infos.sort_by_key(|(name, info)| (Reverse(info.dtype.bitsize()), *name));
    let (mut header, mut starts) = (serde_json::Map::new(), BTreeMap::new());
    let mut start = 0;
    for (name, info) in infos {
        starts.insert(name, start);
        let end = start + (info.shape.iter().product::<usize>() * info.dtype.bitsize() / 8) as u64;
        header.insert(
            name.to_owned(),
            serde_json::json!({
                "dtype": info.dtype.to_string(),
                "shape": info.shape,
                "data_offsets": [start, end],
            }),
        );
        start = end;
    }
    let mut header = serde_json::Value::Object(header).to_string();
    // The data starts at a multiple of 8, so that it can be mapped.
    while !header.len().is_multiple_of(8) {
        header.push(' ');
    }
    (header, starts)
}

/// Adds name, type, shape and elements of every tensor, in name order, to a digest.
pub(crate) fn digest(weights: &Weights, hasher: &mut Sha256) -> Result<(), Error> {
    for (name, info) in weights.infos() {
        let bytes = weights.bytes(name)?;
        digest_info(name, info, bytes.len(), hasher);
        hasher.update(&*bytes);
    }
    Ok(())
}

/// Adds the fields before a tensor's elements to a digest: name, type, shape, number of bytes.
fn digest_info(name: &str, info: &TensorInfo, bytes: usize, hasher: &mut Sha256) {
    digest_bytes(name.as_bytes(), hasher);
    digest_bytes(info.dtype.to_string().as_bytes(), hasher);
    hasher.update((info.shape.len() as u64).to_le_bytes());
    for size in &info.shape {
        hasher.update((*size as u64).to_le_bytes());
    }
    hasher.update((bytes as u64).to_le_bytes());
}

/// Adds bytes, their number first, to a digest.
pub(crate) fn digest_bytes(bytes: &[u8], hasher: &mut Sha256) {
    hasher.update((bytes.len() as u64).to_le_bytes());
    hasher.update(bytes);
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::weights::file::TensorFile;
    use crate::weights::tensors::Tensors;
    use crate::weights::{Role, TensorSource, TensorSpec};

    /// Types of two widths, so that the order in the file is not that of the digest.
    #[test]
    fn what_is_written_is_what_is_digested() {
        let mut tensors = Tensors::default();
        tensors.insert_f16("a", &[3], &[1.0, 2.0, 3.0]);
        tensors.insert_f32("b", &[2], &[4.0, 5.0]);
        tensors.insert_f16("c", &[0], &[]);
        tensors.insert_f32("d", &[1], &[6.0]);
        let specs = [("a", 3), ("b", 2), ("c", 0), ("d", 1)];
        let specs = specs.map(|(name, size)| TensorSpec::new(name, [size])).into_iter();
        let used = |name: &str| Role::Used(name.to_owned());
        let source = Arc::new(tensors);
        let weights = Weights::select(source, used, specs.clone(), std::iter::empty()).unwrap();
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("w.safetensors");
        let (mut first, mut second, mut third) = (Sha256::new(), Sha256::new(), Sha256::new());
        write(&path, &weights, &mut first).unwrap();
        digest(&weights, &mut second).unwrap();

        let file = fs_err::read(&path).unwrap();
        let read = safetensors::SafeTensors::deserialize(&file).unwrap();
        assert_eq!(read.len(), 4);
        for (name, info) in weights.infos() {
            let tensor = read.tensor(name).unwrap();
            assert_eq!((tensor.dtype(), tensor.shape()), (info.dtype, &info.shape[..]));
            assert_eq!(tensor.data(), &*weights.bytes(name).unwrap());
        }
        assert_eq!(file.len() % 8, (3 * 4 + 3 * 2) % 8);
        let file = TensorFile::open(&path).unwrap();
        assert_eq!(file.names(), ["a", "b", "c", "d"]);
        let again = Weights::select(Arc::new(file), used, specs, std::iter::empty()).unwrap();
        digest(&again, &mut third).unwrap();
        assert_eq!(first.finalize(), second.clone().finalize());
        assert_eq!(second.finalize(), third.finalize());
    }
}
