//! Tensors in a safetensors file, read one at a time.

use std::collections::BTreeMap;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use safetensors::tensor::Metadata;

use super::{TensorInfo, TensorSource};
use crate::Error;

/// Headers beyond this are refused: the 3-billion-parameter ESM-2 has 0.1 MB.
const HEADER_LIMIT_BYTES: u64 = 100_000_000;
/// The header's length comes first, in this many bytes.
const LENGTH_BYTES: u64 = 8;

/// An open safetensors file. Only its header is held; a tensor is read when asked for, so that
/// loading needs no more memory than the tensor at hand, and nothing is mapped that another
/// process could cut short.
#[derive(Debug)]
pub(crate) struct TensorFile {
    label: String,
    bytes: Bytes,
    tensors: BTreeMap<String, (TensorInfo, u64, usize)>,
}

#[derive(Debug)]
enum Bytes {
    Embedded(&'static [u8]),
    File(PathBuf),
}

impl TensorFile {
    /// Opens a file and checks its header against its length.
    pub(crate) fn open(path: &Path) -> Result<Self, Error> {
        Self::new(path.display().to_string(), Bytes::File(path.to_owned()))
    }

    /// Takes a file compiled into the program.
    pub(crate) fn embedded(label: &str, bytes: &'static [u8]) -> Result<Self, Error> {
        Self::new(label.to_owned(), Bytes::Embedded(bytes))
    }

    fn new(label: String, bytes: Bytes) -> Result<Self, Error> {
        let broken = |reason: String| Error::NotSafetensors { file: label.clone(), reason };
        let length = bytes.length()?;
        if length < LENGTH_BYTES {
            return Err(broken(format!("{length} bytes are no header")));
        }
        let prefix = bytes.read(0, 8)?;
        let header_length =
            prefix.first_chunk().map(|prefix| u64::from_le_bytes(*prefix)).unwrap_or_default();
        if header_length > HEADER_LIMIT_BYTES || header_length > length - LENGTH_BYTES {
            return Err(broken(format!("a header of {header_length} bytes in {length}")));
        }
        let header = bytes.read(LENGTH_BYTES, usize::try_from(header_length).unwrap_or(0))?;
        // Also checks that the tensors lie next to each other and are as long as their shapes say.
        let metadata: Metadata =
            serde_json::from_slice(&header).map_err(|error| broken(error.to_string()))?;
        let data_start = LENGTH_BYTES + header_length;
        let data_length = metadata.data_len() as u64;
        if data_start.checked_add(data_length) != Some(length) {
            return Err(broken(format!(
                "{} bytes of tensors, but the header names {data_length}",
                length - data_start
            )));
        }
        let tensors = metadata
            .tensors()
            .into_iter()
            .map(|(name, info)| {
                let (start, end) = info.data_offsets;
                let known = TensorInfo { dtype: info.dtype, shape: info.shape.clone() };
                (name, (known, data_start + start as u64, end - start))
            })
            .collect();
        Ok(Self { label, bytes, tensors })
    }
}

impl TensorSource for TensorFile {
    fn label(&self) -> &str {
        &self.label
    }

    fn names(&self) -> Vec<&str> {
        self.tensors.keys().map(String::as_str).collect()
    }

    fn info(&self, name: &str) -> Option<&TensorInfo> {
        self.tensors.get(name).map(|(info, ..)| info)
    }

    fn read(&self, name: &str) -> Result<Vec<u8>, Error> {
        let Some((_, start, length)) = self.tensors.get(name) else {
            return Ok(Vec::new());
        };
        self.bytes.read(*start, *length)
    }
}

impl Bytes {
    fn length(&self) -> Result<u64, Error> {
        match self {
            Self::Embedded(bytes) => Ok(bytes.len() as u64),
            Self::File(path) => Ok(fs_err::metadata(path)?.len()),
        }
    }

    fn read(&self, start: u64, length: usize) -> Result<Vec<u8>, Error> {
        match self {
            Self::Embedded(bytes) => {
                let start = usize::try_from(start).unwrap_or(usize::MAX);
                let range = bytes.get(start..).and_then(|rest| rest.get(..length));
                Ok(range.unwrap_or_default().to_vec())
            }
            Self::File(path) => {
                let mut file = fs_err::File::open(path)?;
                file.seek(SeekFrom::Start(start))?;
                let mut bytes = vec![0; length];
                file.read_exact(&mut bytes)?;
                Ok(bytes)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &[u8] =
        b"\x38\0\0\0\0\0\0\0{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}\0\0\x80\x3f";

    fn refused(bytes: Vec<u8>, expected: &str) {
        let Err(Error::NotSafetensors { file, reason }) = TensorFile::embedded("x", bytes.leak())
        else {
            panic!("{expected}: accepted")
        };
        assert_eq!(file, "x");
        assert!(reason.contains(expected), "{reason}");
    }

    fn good() -> Vec<u8> {
        let mut bytes = GOOD.to_vec();
        bytes[0] = u8::try_from(GOOD.len() - 12).unwrap();
        bytes
    }

    #[test]
    fn reads_a_tensor() {
        let file = TensorFile::embedded("x", good().leak()).unwrap();
        assert_eq!(file.names(), ["a"]);
        assert_eq!(file.info("a").unwrap().shape, [1]);
        assert_eq!(file.read("a").unwrap(), 1.0_f32.to_le_bytes());
    }

    #[test]
    fn refuses_what_is_not_whole() {
        refused(Vec::new(), "0 bytes are no header");
        refused(vec![255; 9], "a header of 18446744073709551615 bytes in 9");
        refused(b"\x02\0\0\0\0\0\0\0{]".to_vec(), "line 1");
        let mut short = good();
        short.pop();
        refused(short, "3 bytes of tensors, but the header names 4");
        let mut long = good();
        long.push(0);
        refused(long, "5 bytes of tensors, but the header names 4");
        let text = String::from_utf8_lossy(&good()[8..GOOD.len() - 4]).replace("[1]", "[2]");
        let mut lying = (text.len() as u64).to_le_bytes().to_vec();
        lying.extend(text.bytes());
        lying.extend([0; 4]);
        refused(lying, "a");
    }
}
