//! Writing a safetensors file, one tensor at a time.

use std::cmp::Reverse;
use std::io::{BufWriter, Write};
use std::path::Path;

use sha2::{Digest, Sha256};

use super::{TensorInfo, Weights};
use crate::Error;

/// Writes the tensors to `path`, widest type first, then by name, as the format's own writer does,
/// and flushes them to disk. Holds one tensor at a time.
pub(crate) fn write(path: &Path, weights: &Weights) -> Result<(), Error> {
    let mut infos: Vec<(&str, &TensorInfo)> = weights.infos().collect();
    infos.sort_by_key(|(name, info)| (Reverse(info.dtype.bitsize()), *name));
    let mut header = serde_json::Map::new();
    let mut start = 0;
    for (name, info) in &infos {
        let end = start + info.shape.iter().product::<usize>() * info.dtype.bitsize() / 8;
        header.insert(
            (*name).to_owned(),
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
    let mut file = BufWriter::new(fs_err::File::create(path)?);
    file.write_all(&(header.len() as u64).to_le_bytes())?;
    file.write_all(header.as_bytes())?;
    for (name, _) in infos {
        file.write_all(&weights.read(name)?)?;
    }
    let file = file.into_inner().map_err(|error| Error::Io { source: error.into_error() })?;
    file.sync_all()?;
    Ok(())
}

/// Adds name, type, shape and elements of every tensor, in name order, to a digest.
pub(crate) fn digest(weights: &Weights, hasher: &mut Sha256) -> Result<(), Error> {
    for (name, info) in weights.infos() {
        digest_bytes(name.as_bytes(), hasher);
        digest_bytes(info.dtype.to_string().as_bytes(), hasher);
        hasher.update((info.shape.len() as u64).to_le_bytes());
        for size in &info.shape {
            hasher.update((*size as u64).to_le_bytes());
        }
        digest_bytes(&weights.read(name)?, hasher);
    }
    Ok(())
}

/// Adds bytes, their number first, to a digest.
pub(crate) fn digest_bytes(bytes: &[u8], hasher: &mut Sha256) {
    hasher.update((bytes.len() as u64).to_le_bytes());
    hasher.update(bytes);
}
