//! Tensors in a safetensors file, one at a time.

use std::collections::BTreeMap;
use std::io::{ErrorKind, Read, Seek, SeekFrom};
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use fs_err::File;
use safetensors::tensor::Metadata;
use vnp_escape::escaped_path;

use super::bytes::TensorBytes;
use super::mapped::Mapped;
use super::{TensorInfo, TensorSource};
use crate::error::Error;

/// Headers beyond this are refused before they are read, because what they say takes many times their length:
/// the 3-billion-parameter ESM-2 has 0.1 MB.
const HEADER_LIMIT_BYTES: u64 = 10_000_000;
/// The header's length comes first, in this many bytes.
const LENGTH_BYTES: u64 = 8;

/// An open safetensors file. Only its header is held; a tensor is read or mapped when asked for,
/// so that loading needs no more memory than the tensor at hand. All of them are of the file that
/// was opened, whatever happens to its name.
#[derive(Debug)]
pub(crate) struct TensorFile {
    label: String,
    bytes: Bytes,
    tensors: BTreeMap<String, (TensorInfo, u64, usize)>,
}

#[derive(Debug)]
enum Bytes {
    Embedded(&'static [u8]),
    /// A file that another program may change: a change is an error or goes unnoticed.
    Read(Mutex<File>),
    /// A file that is never changed in place; see [`super::mapped`].
    Mapped(File),
}

impl TensorFile {
    /// Opens a file as it was distributed and checks its header against its length.
    pub(crate) fn open(path: &Path) -> Result<Self, Error> {
        let bytes = Bytes::Read(Mutex::new(File::open(path)?));
        Self::new(escaped_path(path).to_string(), bytes)
    }

    /// The same for a file of a bundle, whose tensors are mapped.
    pub(crate) fn open_of_bundle(path: &Path) -> Result<Self, Error> {
        Self::new(escaped_path(path).to_string(), Bytes::Mapped(File::open(path)?))
    }

    /// Takes a file compiled into the program.
    pub(crate) fn embedded(label: &str, bytes: &'static [u8]) -> Result<Self, Error> {
        Self::new(label.to_owned(), Bytes::Embedded(bytes))
    }

    fn new(label: String, bytes: Bytes) -> Result<Self, Error> {
        let broken = |reason: String| Error::NotSafetensors { file: label.clone(), reason };
        let length = bytes.length()?;
        let too_short = || broken(format!("{length} bytes are not a header"));
        if length < LENGTH_BYTES {
            return Err(too_short());
        }
        let prefix = bytes.read(0, 8)?;
        let header_length = u64::from_le_bytes(*prefix.first_chunk().ok_or_else(too_short)?);
        if header_length > length - LENGTH_BYTES {
            return Err(broken(format!("a header of {header_length} bytes in {length}")));
        }
        if header_length > HEADER_LIMIT_BYTES {
            let most = HEADER_LIMIT_BYTES / 1_000_000;
            return Err(broken(format!(
                "a header of {header_length} bytes: that of a model has at most {most} MB"
            )));
        }
        let header = bytes.read(LENGTH_BYTES, usize::try_from(header_length).unwrap_or(0))?;
        // Also checks that the tensors lie next to each other and are as long as their shapes say.
        let metadata: Metadata =
            serde_json::from_slice(&header).map_err(|error| broken(error.to_string()))?;
        drop((prefix, header));
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

    fn bytes(&self, name: &str) -> Result<TensorBytes<'_>, Error> {
        let (_, start, length) = self.tensors.get(name).ok_or_else(|| self.missing(name))?;
        self.bytes.read(*start, *length)
    }
}

impl Bytes {
    fn length(&self) -> Result<u64, Error> {
        Ok(match self {
            Self::Embedded(bytes) => bytes.len() as u64,
            Self::Read(file) => {
                file.lock().unwrap_or_else(PoisonError::into_inner).metadata()?.len()
            }
            Self::Mapped(file) => file.metadata()?.len(),
        })
    }

    fn read(&self, start: u64, length: usize) -> Result<TensorBytes<'_>, Error> {
        Ok(match self {
            Self::Embedded(bytes) => {
                let start = usize::try_from(start).unwrap_or(usize::MAX);
                let range = bytes.get(start..).and_then(|rest| rest.get(..length));
                TensorBytes::Slice(range.ok_or_else(|| cut_short("a file in the program"))?)
            }
            Self::Read(file) => {
                let mut file = file.lock().unwrap_or_else(PoisonError::into_inner);
                file.seek(SeekFrom::Start(start))?;
                let mut bytes = vec![0; length];
                file.read_exact(&mut bytes).map_err(|source| match source.kind() {
                    ErrorKind::UnexpectedEof => cut_short(escaped_path(file.path())),
                    _ => source.into(),
                })?;
                TensorBytes::Read(bytes)
            }
            // An empty range cannot be mapped.
            Self::Mapped(_) if length == 0 => TensorBytes::Slice(&[]),
            Self::Mapped(file) => {
                // The length was right when the file was opened. Pages beyond the end of a file
                // that shrank since must not be touched.
                if file.metadata()?.len() < start.saturating_add(length as u64) {
                    return Err(cut_short(escaped_path(file.path())));
                }
                TensorBytes::Mapped(Mapped::new(file.file(), start, length)?)
            }
        })
    }
}

fn cut_short(file: impl std::fmt::Display) -> Error {
    let reason = format!("{file} was cut short while it was open");
    std::io::Error::new(ErrorKind::UnexpectedEof, reason).into()
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
        assert_eq!(*file.bytes("a").unwrap(), 1.0_f32.to_le_bytes());
        let Err(Error::MissingTensor { name, .. }) = file.bytes("b") else { panic!() };
        assert_eq!(name, "b");
    }

    /// Two tensors, one of them empty, in a file of its own.
    fn on_disk() -> (tempfile::TempDir, std::path::PathBuf) {
        let header = r#"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"b":{"dtype":"F32","shape":[0],"data_offsets":[8,8]}}"#;
        let mut bytes = (header.len() as u64).to_le_bytes().to_vec();
        bytes.extend(header.bytes());
        bytes.extend([1.0_f32, 2.0].iter().flat_map(|x| x.to_le_bytes()));
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("m.safetensors");
        fs_err::write(&path, bytes).unwrap();
        (directory, path)
    }

    #[test]
    fn tensors_are_of_the_file_that_was_opened() {
        for open in [TensorFile::open, TensorFile::open_of_bundle] {
            let (directory, path) = on_disk();
            let file = open(&path).unwrap();
            let bytes = file.bytes("a").unwrap();
            let other = directory.path().join("other");
            fs_err::write(&other, "another file").unwrap();
            fs_err::rename(&other, &path).unwrap();
            let expected = [1.0_f32, 2.0].map(f32::to_le_bytes).concat();
            assert_eq!(*bytes, expected);
            assert_eq!(*file.bytes("a").unwrap(), expected);
            assert!(file.bytes("b").unwrap().is_empty());
        }
    }

    #[test]
    fn a_file_that_was_cut_short_is_an_error() {
        for open in [TensorFile::open, TensorFile::open_of_bundle] {
            let (_directory, path) = on_disk();
            let file = open(&path).unwrap();
            let cut = fs_err::OpenOptions::new().write(true).open(&path).unwrap();
            cut.set_len(cut.metadata().unwrap().len() - 1).unwrap();
            let Err(Error::Io { cause: source }) = file.bytes("a") else { panic!("it was read") };
            assert_eq!(source.kind(), std::io::ErrorKind::UnexpectedEof);
            assert!(source.to_string().contains("m.safetensors"), "{source}");
        }
    }

    #[test]
    fn refuses_what_is_not_whole() {
        refused(Vec::new(), "0 bytes are not a header");
        refused(vec![255; 9], "a header of 18446744073709551615 bytes in 9");
        let mut huge = (HEADER_LIMIT_BYTES + 1).to_le_bytes().to_vec();
        huge.resize(huge.len() + 10_000_001, b' ');
        refused(huge, "a header of 10000001 bytes: that of a model has at most 10 MB");
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
