//! A buffered source whose next bytes can be inspected, with the position in it.
#![expect(clippy::indexing_slicing, reason = "`start <= end <= buffer.len()` always holds")]

use std::io::{self, Read};

const BUFFER_BYTES: usize = 64 * 1024;

/// A buffer in front of a source.
pub(crate) struct Lookahead {
    source: Box<dyn Read + Send>,
    buffer: Vec<u8>,
    start: usize,
    end: usize,
    position: u64,
    ended: bool,
    /// An error of the source, until the bytes before it are consumed.
    error: Option<io::Error>,
}

impl Lookahead {
    pub(crate) fn new(source: Box<dyn Read + Send>) -> Self {
        let buffer = vec![0; BUFFER_BYTES];
        Self { source, buffer, start: 0, end: 0, position: 0, ended: false, error: None }
    }

    /// Bytes that were consumed so far.
    pub(crate) fn position(&self) -> u64 {
        self.position
    }

    /// Bytes that the source has given so far.
    pub(crate) fn received(&self) -> u64 {
        self.position + (self.end - self.start) as u64
    }

    /// The next bytes: at least `count`, which is less than the buffer's size, unless the source ends or
    /// fails before.
    #[inline]
    pub(crate) fn peek(&mut self, count: usize) -> io::Result<&[u8]> {
        if self.end - self.start < count {
            self.fill(count)?;
        }
        Ok(&self.buffer[self.start..self.end])
    }

    #[cold]
    fn fill(&mut self, count: usize) -> io::Result<()> {
        self.buffer.copy_within(self.start..self.end, 0);
        self.end -= self.start;
        self.start = 0;
        while self.end < count && !self.ended && self.error.is_none() {
            match self.source.read(&mut self.buffer[self.end..]) {
                Ok(0) => self.ended = true,
                Ok(read) => self.end += read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => self.error = Some(error),
            }
        }
        match self.error.take_if(|_| self.end == 0) {
            Some(error) => Err(error),
            None => Ok(()),
        }
    }

    /// Marks bytes that [`peek`](Self::peek) returned as used.
    #[inline]
    pub(crate) fn consume(&mut self, count: usize) {
        debug_assert!(count <= self.end - self.start);
        self.start += count;
        self.position += count as u64;
    }

    /// The number of zero bytes that come next, which are consumed.
    pub(crate) fn skip_zeros(&mut self) -> io::Result<u64> {
        let mut skipped = 0;
        loop {
            let zeros = self.peek(1)?.iter().take_while(|byte| **byte == 0).count();
            if zeros == 0 {
                return Ok(skipped);
            }
            self.consume(zeros);
            skipped += zeros as u64;
        }
    }
}

impl Read for Lookahead {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let next = self.peek(1)?;
        let count = next.len().min(buf.len());
        buf[..count].copy_from_slice(&next[..count]);
        self.consume(count);
        Ok(count)
    }
}
