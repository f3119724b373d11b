//! Lines of a text, plain or compressed, with their numbers, and no longer than a line may be.

use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use vnp_job::io_at;

use crate::error::Error;

/// The longest line that is read: a row with the CIGAR of a whole chromosome is shorter.
const LINE_BYTES: usize = 256 << 20;
/// Bytes that are read at a time.
const BUFFER_BYTES: usize = 1 << 18;

/// Reads lines; empty ones are counted and left out, and a carriage return at the end is left out.
pub(crate) struct Lines {
    text: BufReader<Box<dyn Read + Send>>,
    /// What messages call the file.
    name: PathBuf,
    line: Vec<u8>,
    number: u64,
}

impl Lines {
    /// Opens a file that messages call `name`.
    pub(crate) fn open(path: &Path, name: &Path) -> Result<Self, Error> {
        let text = BufReader::with_capacity(BUFFER_BYTES, vnp_seq::open_decompressed(path)?);
        Ok(Self { text, name: name.to_owned(), line: Vec::new(), number: 0 })
    }

    /// The next line that is not empty, without its end.
    pub(crate) fn next(&mut self) -> Result<Option<&[u8]>, Error> {
        loop {
            self.line.clear();
            let mut limited = (&mut self.text).take(LINE_BYTES as u64);
            let count = limited.read_until(b'\n', &mut self.line);
            if count.map_err(|error| io_at("read", &self.name, &error))? == 0 {
                return Ok(None);
            }
            self.number += 1;
            if self.line.len() == LINE_BYTES && self.line.last() != Some(&b'\n') {
                return Err(self.error(format!(
                    "it is longer than {} MiB: the file is not a table of text",
                    LINE_BYTES >> 20
                )));
            }
            if self.line.last() == Some(&b'\n') {
                self.line.pop();
            }
            if self.line.last() == Some(&b'\r') {
                self.line.pop();
            }
            if !self.line.is_empty() {
                break;
            }
        }
        Ok(Some(&self.line))
    }

    /// The last line.
    pub(crate) fn current(&self) -> &[u8] {
        &self.line
    }

    /// What is wrong with the last line.
    pub(crate) fn error(&self, reason: String) -> Error {
        Error::Row { path: self.name.clone(), unit: "line", number: self.number, reason }
    }
}

impl std::fmt::Debug for Lines {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Lines").field("name", &self.name).field("number", &self.number).finish()
    }
}
