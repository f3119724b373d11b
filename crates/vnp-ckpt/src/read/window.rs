//! Reading at any offset: small pieces that lie close together cost one read.

use std::io::{self, Read, SeekFrom};

use super::container::Input;
use crate::error::kind::ErrorKind;
use crate::tensor::touch::fill_ahead;

/// The length of a step through a large piece, and the most that is read ahead for a small one:
/// little enough to stay in a core's cache.
const STEP_BYTES: usize = 256 << 10;

/// How much is read ahead at first, enough for most headers. It doubles with every read, so that
/// many small pieces cost few reads.
const FIRST_BYTES: usize = 4 << 10;

/// The position of a reader after an error: the next read seeks.
const UNKNOWN: u64 = u64::MAX;

/// From this length on a piece is read directly into its destination.
const DIRECT_BYTES: usize = 64 << 10;

/// A file, and the piece of it that was read last.
pub(crate) struct Window<R> {
    reader: R,
    /// The reader's position.
    position: u64,
    file_bytes: u64,
    /// The offset of `bytes` in the file.
    start: u64,
    bytes: Vec<u8>,
    /// How much the next read for a small piece takes.
    ahead: usize,
}

impl<R: Input> Window<R> {
    /// Takes a reader whose position is the start of the file.
    pub(crate) fn new(reader: R, file_bytes: u64) -> Self {
        Self { reader, position: 0, file_bytes, start: 0, bytes: Vec::new(), ahead: FIRST_BYTES }
    }

    #[cfg(feature = "torch")]
    pub(crate) fn file_bytes(&self) -> u64 {
        self.file_bytes
    }

    /// Drops the bytes read ahead, so that the next read returns the current contents of the file.
    pub(crate) fn refresh(&mut self) {
        self.bytes.clear();
    }

    /// Fills `into` with the bytes at `offset`.
    pub(crate) fn read_at(&mut self, offset: u64, into: &mut [u8]) -> Result<(), ErrorKind> {
        self.read(offset, into)
            .map_err(|source| ErrorKind::read_at(source, self.file_bytes, offset))
    }

    /// Fills a large piece in steps; each is passed on while it is in a core's cache.
    pub(crate) fn read_steps(
        &mut self,
        mut offset: u64,
        into: &mut [u8],
        mut each: impl FnMut(&[u8]),
    ) -> Result<(), ErrorKind> {
        fill_ahead(into, |piece| {
            piece.chunks_mut(STEP_BYTES).try_for_each(|step| {
                self.read_at(offset, step)?;
                offset += step.len() as u64;
                each(step);
                Ok(())
            })
        })
    }

    /// Passes on the `length` bytes at `offset` in steps, keeping none.
    pub(crate) fn scan(
        &mut self,
        mut offset: u64,
        length: u64,
        mut each: impl FnMut(&[u8]),
    ) -> Result<(), ErrorKind> {
        let mut left = length;
        let mut step = vec![0; step_bytes(length)];
        while left > 0 {
            let (bytes, _) = step.split_at_mut(step_bytes(left));
            self.read_at(offset, bytes)?;
            each(bytes);
            offset += bytes.len() as u64;
            left -= bytes.len() as u64;
        }
        Ok(())
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
                let read = self.reader.read_exact(into);
                self.position = read.as_ref().map_or(UNKNOWN, |()| offset + into.len() as u64);
                return read;
            }
            self.fill(offset)?;
        }
    }

    /// Copies the bytes that the window holds; returns their number.
    fn copy(&self, offset: u64, into: &mut [u8]) -> usize {
        let skipped = offset.checked_sub(self.start).and_then(|bytes| usize::try_from(bytes).ok());
        let Some(held) = skipped.and_then(|skipped| self.bytes.get(skipped..)) else { return 0 };
        let length = held.len().min(into.len());
        let (into, _) = into.split_at_mut(length);
        let (held, _) = held.split_at(length);
        into.copy_from_slice(held);
        length
    }

    /// Moves the window to `offset`. Afterwards it holds at least one byte, or this is an error.
    fn fill(&mut self, offset: u64) -> io::Result<()> {
        let left = self.file_bytes.saturating_sub(offset);
        let ahead = self.ahead as u64;
        self.ahead = (2 * self.ahead).min(STEP_BYTES);
        self.bytes.clear();
        self.start = offset;
        self.seek(offset)?;
        // The file may have shrunk since it was opened.
        let read = (&mut self.reader).take(left.min(ahead)).read_to_end(&mut self.bytes);
        self.position = read.as_ref().map_or(UNKNOWN, |&length| offset + length as u64);
        if read? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        Ok(())
    }

    fn seek(&mut self, offset: u64) -> io::Result<()> {
        if self.position != offset {
            self.position = self.reader.seek(SeekFrom::Start(offset))?;
        }
        Ok(())
    }
}

/// The length of the next step where `left` bytes are to be read.
fn step_bytes(left: u64) -> usize {
    usize::try_from(left).map_or(STEP_BYTES, |left| left.min(STEP_BYTES))
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
        // Below and above the length from which on memory is touched ahead.
        for length in [5 * STEP_BYTES + 77, 9 << 20] {
            let file: Vec<u8> = (0..length).map(|place| (place / 3) as u8).collect();
            let mut window = Window::new(io::Cursor::new(file.clone()), file.len() as u64);
            let expected = &file[9..];
            let mut found = vec![0; expected.len()];
            let (mut steps, mut scanned) = (Vec::new(), Vec::new());
            window.read_steps(9, &mut found, |step| steps.extend_from_slice(step)).unwrap();
            window.scan(9, found.len() as u64, |step| scanned.extend_from_slice(step)).unwrap();
            assert!(found == expected && steps == expected && scanned == expected);
            let Err(ErrorKind::Truncated { .. }) = window.read_steps(10, &mut found, |_| {}) else {
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
        assert!(window.read(0, &mut [0; 3]).is_ok());
        assert!(window.read(9, &mut [0; 3]).is_err());
        assert!(window.read(9, &mut [0; 3]).is_err());
    }
}
