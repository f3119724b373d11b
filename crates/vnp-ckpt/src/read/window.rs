//! Reading at places: small pieces that lie close together cost one read.

use std::io::{self, SeekFrom};

use super::super::container::Input;
use super::context::Context;
use crate::Error;
use crate::tensor::touch::fill_ahead;

/// How much is read ahead for a small piece, and the length of a step through a large one: little
/// enough to stay in a core's cache.
pub(crate) const STEP_BYTES: usize = 256 << 10;

/// From this length on a piece is read to where it goes.
const DIRECT_BYTES: usize = 64 << 10;

/// A file, and the piece of it that was read last.
pub(crate) struct Window<R> {
    reader: R,
    /// Where the reader stands.
    position: u64,
    file_bytes: u64,
    /// Where `bytes` lies.
    start: u64,
    bytes: Vec<u8>,
}

impl<R: Input> Window<R> {
    /// The reader stands at the start of the file.
    pub(crate) fn new(reader: R, file_bytes: u64) -> Self {
        Self { reader, position: 0, file_bytes, start: 0, bytes: Vec::new() }
    }

    pub(crate) fn file_bytes(&self) -> u64 {
        self.file_bytes
    }

    /// Fills `into` with what lies at `offset`.
    pub(crate) fn read_at(
        &mut self,
        offset: u64,
        into: &mut [u8],
        context: Context<'_>,
    ) -> Result<(), Error> {
        self.read(offset, into).map_err(|source| match source.kind() {
            // The length was right when the file was opened: it shrank since.
            io::ErrorKind::UnexpectedEof => Error::Truncated {
                path: context.path.to_owned(),
                expected_bytes: self.file_bytes,
                found_bytes: offset.min(self.file_bytes),
            },
            _ => Error::Io { path: context.path.to_owned(), source },
        })
    }

    /// The same for a large piece, in steps; each is given away while it is in a core's cache.
    pub(crate) fn read_steps(
        &mut self,
        mut offset: u64,
        into: &mut [u8],
        context: Context<'_>,
        mut each: impl FnMut(&[u8]),
    ) -> Result<(), Error> {
        fill_ahead(into, |piece| {
            piece.chunks_mut(STEP_BYTES).try_for_each(|step| {
                self.read_at(offset, step, context)?;
                offset += step.len() as u64;
                each(step);
                Ok(())
            })
        })
    }

    fn read(&mut self, mut offset: u64, mut into: &mut [u8]) -> io::Result<()> {
        loop {
            let copied = self.copy(offset, into);
            let (_, rest) = into.split_at_mut(copied);
            into = rest;
            offset += copied as u64;
            if into.is_empty() {
                return Ok(());
            }
            if into.len() >= DIRECT_BYTES {
                self.seek(offset)?;
                self.reader.read_exact(into)?;
                self.position += into.len() as u64;
                return Ok(());
            }
            self.fill(offset)?;
        }
    }

    /// Copies what the window holds; the number of bytes.
    fn copy(&self, offset: u64, into: &mut [u8]) -> usize {
        let held = offset.checked_sub(self.start).and_then(|skipped| usize::try_from(skipped).ok());
        let held = held.and_then(|skipped| self.bytes.get(skipped..)).unwrap_or_default();
        let length = held.len().min(into.len());
        let (into, _) = into.split_at_mut(length);
        let (held, _) = held.split_at(length);
        into.copy_from_slice(held);
        length
    }

    /// Moves the window to `offset`. It holds a byte at least, or this is an error.
    fn fill(&mut self, offset: u64) -> io::Result<()> {
        let left = self.file_bytes.saturating_sub(offset);
        let length = usize::try_from(left).unwrap_or(usize::MAX).min(STEP_BYTES);
        if length == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.bytes.resize(length, 0);
        self.start = offset;
        let read = self.seek(offset).and_then(|()| self.reader.read_exact(&mut self.bytes));
        match read {
            Ok(()) => self.position += length as u64,
            Err(_) => self.bytes.clear(),
        }
        read
    }

    fn seek(&mut self, offset: u64) -> io::Result<()> {
        if self.position != offset {
            self.position = self.reader.seek(SeekFrom::Start(offset))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_anywhere_are_what_lies_there() {
        let file: Vec<u8> = (0..3 * STEP_BYTES).map(|place| (place / 7) as u8).collect();
        let mut window = Window::new(io::Cursor::new(file.clone()), file.len() as u64);
        let mut check = |offset: usize, length: usize| {
            let mut piece = vec![0; length];
            window.read(offset as u64, &mut piece).unwrap();
            assert!(piece == file[offset..offset + length], "{length} at {offset}");
        };
        check(0, 0);
        check(file.len() - 22, 22);
        check(0, 30);
        check(30, STEP_BYTES);
        check(STEP_BYTES + 31, 5);
        check(STEP_BYTES - 3, 100);
        check(5, DIRECT_BYTES);
        check(5, DIRECT_BYTES - 1);
        check(1, file.len() - 1);
        check(2 * STEP_BYTES, STEP_BYTES);
    }

    #[test]
    fn steps_read_the_same() {
        let limits = crate::Limits::default();
        let context = Context { path: std::path::Path::new("a.pt"), limits: &limits };
        // Below and above the length from which on memory is touched ahead.
        for length in [5 * STEP_BYTES + 77, 9 << 20] {
            let file: Vec<u8> = (0..length).map(|place| (place / 3) as u8).collect();
            let mut window = Window::new(io::Cursor::new(file.clone()), file.len() as u64);
            let expected = &file[9..];
            let mut found = vec![0; expected.len()];
            let mut crc = crc32fast::Hasher::new();
            window.read_steps(9, &mut found, context, |step| crc.update(step)).unwrap();
            assert!(found == expected);
            assert_eq!(crc.finalize(), crc32fast::hash(expected));
            let Err(Error::Truncated { .. }) = window.read_steps(10, &mut found, context, |_| {})
            else {
                panic!("a byte after the end was read")
            };
        }
    }

    #[test]
    fn the_end_is_an_error() {
        let mut window = Window::new(io::Cursor::new(vec![7; 10]), 10);
        assert!(window.read(5, &mut [0; 6]).is_err());
        assert!(window.read(11, &mut [0; 1]).is_err());
        assert!(window.read(0, &mut vec![0; DIRECT_BYTES]).is_err());
        // The file shrank: the length was 20 when it was opened.
        let mut window = Window::new(io::Cursor::new(vec![7; 10]), 20);
        assert!(window.read(0, &mut [0; 3]).is_err());
        assert!(window.read(0, &mut [0; 3]).is_err());
    }
}
