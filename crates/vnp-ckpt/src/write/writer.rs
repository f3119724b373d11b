//! Writing a checkpoint that does not fit into memory.

use std::fmt;
use std::path::Path;

use super::native::NativeWriter;
use super::plan::{self, Plan};
use super::read_back::read_back;
use super::temporary::{Temporary, not_committed};
use crate::error::Error;
use crate::error::kind::ErrorKind;
use crate::header::{Encoding, Header};
use crate::tensor::Tensor;
use crate::tensor::cast::bytes_of;
use crate::tensor::element::Element;

/// How much is written before the disk is looked after.
const PIECE_BYTES: usize = 8 << 20;

/// Writes a checkpoint piece by piece: only the ids and the current piece are in memory.
///
/// The rows and their ids are known at the start, and with them the place of everything in the
/// file. The rows of each tensor are then appended in order; the tensors do not wait for each
/// other, so that both row after row and tensor after tensor can be written.
/// [`finish`](Self::finish) brings the file under its name as [`atomic_save`](crate::atomic_save)
/// does: verified, synced, renamed. The bytes are those that `atomic_save` writes. A writer that
/// is dropped before leaves nothing behind.
///
/// ```
/// use vnp_ckpt::{Checkpoint, Dtype, Limits, RowRange, load_with_compatibility};
///
/// # let directory = tempfile::tempdir().unwrap();
/// # let path = directory.path().join("part.vnp");
/// let mut writer = Checkpoint::builder("protein")
///     .rows(RowRange::new(0, 3))
///     .ids(vec!["a".into(), "b".into(), "c".into()])
///     .streamed_tensor("embedding", Dtype::F32, [2])
///     .streamed_tensor("status", Dtype::U8, [])
///     .create(&path)?;
/// for row in 0..3_u8 {
///     writer.append("embedding", &[f32::from(row), 0.5])?;
///     writer.append("status", &[row])?;
/// }
/// writer.finish()?;
///
/// let read = load_with_compatibility(&path, &Limits::default())?;
/// assert_eq!(read.tensor("embedding").unwrap().as_f32()?, [0.0, 0.5, 1.0, 0.5, 2.0, 0.5]);
/// # Ok::<(), vnp_ckpt::Error>(())
/// ```
#[must_use = "nothing is saved until `finish`"]
pub struct CheckpointWriter {
    temporary: Temporary,
    writer: NativeWriter,
    /// Whether a write has failed: the contents of the file are unknown since.
    has_failed: bool,
}

impl CheckpointWriter {
    /// Starts the file, with the ids and the tensors that are there as a whole.
    pub(crate) fn create<'t>(
        path: &Path,
        header: &Header,
        ids: &[String],
        tensors: impl IntoIterator<Item = Option<&'t Tensor>>,
    ) -> Result<Self, Error> {
        let plan = Plan::new(header, plan::id_bytes(ids)).map_err(|kind| kind.in_file(path))?;
        let (temporary, writer) = (Temporary::create(path)?, NativeWriter::new(plan));
        let mut new = Self { temporary, writer, has_failed: false };
        new.write_strings(ids)?;
        for (tensor, index) in tensors.into_iter().zip(1..) {
            tensor.map_or(Ok(()), |tensor| new.write(index, tensor.bytes()))?;
        }
        Ok(new)
    }

    /// Appends rows to a tensor: their values in row-major order.
    ///
    /// # Errors
    /// [`ErrorKind::NoSuchTensor`] when no row tensor has this name; [`ErrorKind::WrongDtype`] when it
    /// holds another type; [`ErrorKind::Inconsistent`] when the values are not whole rows, or more
    /// than are left; [`ErrorKind::NotCommitted`] when they cannot be written, and from then on.
    pub fn append<T: Element>(&mut self, name: &str, rows: &[T]) -> Result<(), Error> {
        let (index, encoding) = self.streamed(name)?;
        if let Encoding::Tensor { dtype, .. } = encoding
            && *dtype != T::DTYPE
        {
            return Err(ErrorKind::WrongDtype { expected: T::DTYPE, found: *dtype }.into());
        }
        self.append_bytes(index, bytes_of(rows))
    }

    /// Appends the rows of a tensor `[rows, ...]`, of any type.
    ///
    /// # Errors
    /// As [`append`](Self::append); [`ErrorKind::Inconsistent`] also where the dimensions after the
    /// first are not those that were announced.
    pub fn append_tensor(&mut self, name: &str, rows: &Tensor) -> Result<(), Error> {
        let (index, encoding) = self.streamed(name)?;
        let Encoding::Tensor { dtype, shape, .. } = encoding else {
            return Err(ErrorKind::NoSuchTensor { name: name.to_owned() }.into());
        };
        if *dtype != rows.dtype() {
            return Err(ErrorKind::WrongDtype { expected: rows.dtype(), found: *dtype }.into());
        }
        if rows.shape().is_empty() || rows.shape().get(1..) != shape.get(1..) {
            let expected = format!("rows of {:?}", shape.get(1..).unwrap_or_default());
            return Err(self.wrong(format!("shape of tensor `{name}`"), expected, rows.shape()));
        }
        self.append_bytes(index, rows.bytes())
    }

    /// How many rows of a tensor are still to be appended; `None` when no row tensor has this
    /// name.
    #[must_use]
    pub fn rows_left(&self, name: &str) -> Option<u64> {
        let (index, encoding) = self.streamed(name).ok()?;
        Some(self.writer.left(index).checked_div(encoding.row_bytes()?).unwrap_or(0))
    }

    /// Saves the file under its name: reads it back, brings it to disk, renames it.
    ///
    /// # Errors
    /// [`ErrorKind::Inconsistent`] when rows are missing; [`ErrorKind::NotCommitted`] when something could
    /// not be written or read back; in both cases the file under the name is unchanged.
    /// [`ErrorKind::DurabilityUncertain`] as [`atomic_save`](crate::atomic_save).
    pub fn finish(self) -> Result<(), Error> {
        self.check_usable()?;
        for (index, section) in self.header().sections.iter().enumerate() {
            let left =
                self.writer.left(index).checked_div(section.encoding.row_bytes().unwrap_or(1));
            if let Some(left @ 1..) = left {
                let rows = self.header().rows.len();
                let subject = format!("rows of tensor `{}`", section.name);
                return Err(self.wrong(subject, rows.to_string(), rows - left));
            }
        }
        let Self { mut temporary, writer, .. } = self;
        let file_bytes = writer.plan().file_bytes();
        let preamble = writer.finish(temporary.file_mut());
        let preamble = preamble.map_err(|source| not_committed(temporary.target(), source))?;
        let target = temporary.target().to_owned();
        temporary.commit(|file| read_back(&target, file, &preamble, file_bytes))
    }

    fn header(&self) -> &Header {
        self.writer.plan().header()
    }

    fn streamed(&self, name: &str) -> Result<(usize, &Encoding), Error> {
        let sections = self.header().sections.iter().enumerate();
        let mut named = sections.filter(|(_, section)| section.name == name);
        named
            .next()
            .map(|(index, section)| (index, &section.encoding))
            .filter(|(_, encoding)| encoding.row_bytes().is_some())
            .ok_or_else(|| ErrorKind::NoSuchTensor { name: name.to_owned() }.into())
    }

    fn append_bytes(&mut self, index: usize, bytes: &[u8]) -> Result<(), Error> {
        self.check_usable()?;
        let section = self.header().sections.get(index);
        let name = section.map_or("", |section| &section.name);
        let row = section.and_then(|section| section.encoding.row_bytes()).unwrap_or(0);
        let (left, found) = (self.writer.left(index), bytes.len() as u64);
        if found > left || (row > 0 && !found.is_multiple_of(row)) {
            let expected = format!("whole rows of {row} bytes, {left} bytes at most");
            return Err(self.wrong(format!("rows for tensor `{name}`"), expected, found));
        }
        self.write(index, bytes)
    }

    /// The ids: where each starts, where the last ends, then all of them.
    fn write_strings(&mut self, strings: &[String]) -> Result<(), Error> {
        let mut offset = 0_u64;
        self.write(0, &offset.to_le_bytes())?;
        for string in strings {
            offset += string.len() as u64;
            self.write(0, &offset.to_le_bytes())?;
        }
        strings.iter().try_for_each(|string| self.write(0, string.as_bytes()))
    }

    fn write(&mut self, index: usize, bytes: &[u8]) -> Result<(), Error> {
        let written = bytes.chunks(PIECE_BYTES).try_for_each(|piece| {
            self.writer.append(self.temporary.file_mut(), index, piece)?;
            self.temporary.wrote(piece.len() as u64)
        });
        self.has_failed |= written.is_err();
        written.map_err(|source| not_committed(self.temporary.target(), source))
    }

    fn check_usable(&self) -> Result<(), Error> {
        if self.has_failed {
            let reason = std::io::Error::other("an earlier write failed");
            return Err(not_committed(self.temporary.target(), reason));
        }
        Ok(())
    }

    fn wrong(&self, subject: String, expected: String, found: impl fmt::Debug) -> Error {
        let kind = ErrorKind::inconsistent(subject, expected, format!("{found:?}"));
        kind.in_file(self.temporary.target())
    }
}

impl fmt::Debug for CheckpointWriter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CheckpointWriter")
            .field("path", &self.temporary.target())
            .finish_non_exhaustive()
    }
}
