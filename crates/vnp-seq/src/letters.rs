//! The letters of a record: in memory, or in a temporary file if there are many.
#![expect(
    clippy::indexing_slicing,
    reason = "ranges lie within the letters, and windows within buffers"
)]

use std::collections::TryReserveError;
use std::fs::File;
use std::io::{self, Read, Seek, Write};
use std::ops::Range;
use std::path::{Path, PathBuf};

use crate::record::{InvalidLetter, invalid_letter};

/// Letters that are held in memory: most chromosomes of bacteria, no chromosome of an animal.
const IN_MEMORY_BYTES: usize = 16 << 20;
/// Bytes that are read from a temporary file at once.
const WINDOW_BYTES: usize = 1 << 20;

/// Gathers the letters of one record after the other.
#[derive(Debug)]
pub(crate) struct Gatherer {
    /// Where long records are written to; they stay in memory without it.
    pub(crate) scratch: Option<PathBuf>,
    /// Whether U is read as T.
    pub(crate) rna: bool,
    limit: usize,
    /// Bytes of the record so far, blanks included.
    length: u64,
    /// Those that are neither normalised nor written yet.
    memory: Vec<u8>,
    file: Option<File>,
    written: u64,
}

impl Default for Gatherer {
    fn default() -> Self {
        let limit = IN_MEMORY_BYTES;
        let (scratch, memory, file) = (None, Vec::new(), None);
        Self { scratch, rna: true, limit, length: 0, memory, file, written: 0 }
    }
}

impl Gatherer {
    #[cfg(test)]
    pub(crate) fn with_limit(scratch: &Path, limit: usize) -> Self {
        Self { scratch: Some(scratch.to_owned()), limit, ..Self::default() }
    }

    /// Starts another record.
    pub(crate) fn start(&mut self) {
        self.memory.clear();
        (self.length, self.file, self.written) = (0, None, 0);
    }

    /// Bytes of the record so far, blanks included.
    pub(crate) fn length(&self) -> u64 {
        self.length
    }

    /// Adds letters as they stand in the text.
    #[inline]
    pub(crate) fn add(&mut self, letters: &[u8]) -> Result<(), LettersError> {
        self.memory.try_reserve(letters.len())?;
        self.length += letters.len() as u64;
        self.memory.extend_from_slice(letters);
        if self.memory.len() < self.limit {
            return Ok(());
        }
        match &self.scratch {
            Some(scratch) => {
                let scratch = scratch.clone();
                Ok(self.spill().map_err(|cause| ScratchError { scratch, cause })?)
            }
            None => Ok(()),
        }
    }

    /// The letters of the record, in their own case, without blanks; U is T, if it is to be.
    pub(crate) fn finish(&mut self) -> Result<Letters, ScratchError> {
        normalise(&mut self.memory, self.rna);
        if self.file.is_none() {
            return Ok(Letters::Memory(std::mem::take(&mut self.memory)));
        }
        let scratch = self.scratch.clone().unwrap_or_default();
        let error = |cause| ScratchError { scratch: scratch.clone(), cause };
        self.spill().map_err(error)?;
        let length = self.written;
        match self.file.take() {
            Some(file) => Ok(Letters::Disk(Spilled::new(file, length, scratch))),
            None => Ok(Letters::Memory(Vec::new())),
        }
    }

    #[cold]
    fn spill(&mut self) -> io::Result<()> {
        normalise(&mut self.memory, self.rna);
        if self.file.is_none() {
            self.file = self.scratch.as_deref().map(tempfile::tempfile_in).transpose()?;
        }
        if let Some(file) = &mut self.file {
            file.write_all(&self.memory)?;
            self.written += self.memory.len() as u64;
            self.memory.clear();
        }
        Ok(())
    }
}

/// A temporary file could not be written or read.
#[derive(Debug)]
pub(crate) struct ScratchError {
    pub(crate) scratch: PathBuf,
    pub(crate) cause: io::Error,
}

/// Letters could not be kept.
#[derive(Debug)]
pub(crate) enum LettersError {
    Scratch(ScratchError),
    /// There is not enough memory.
    Memory,
}

impl From<ScratchError> for LettersError {
    fn from(error: ScratchError) -> Self {
        Self::Scratch(error)
    }
}

impl From<TryReserveError> for LettersError {
    fn from(_: TryReserveError) -> Self {
        Self::Memory
    }
}

fn normalise(letters: &mut Vec<u8>, rna: bool) {
    let mut blanks = false;
    for letter in letters.iter_mut() {
        blanks |= *letter <= b' ';
        // 'U' and 'u' are one above 'T' and 't'.
        // Wrapping, which a U never does: with a check of each the loop fills no vectors.
        *letter = letter.wrapping_sub(u8::from(rna && *letter | 0x20 == b'u'));
    }
    if blanks {
        letters.retain(|letter| !letter.is_ascii_whitespace());
    }
}

/// The letters of one record.
#[derive(Debug)]
pub(crate) enum Letters {
    Memory(Vec<u8>),
    Disk(Spilled),
}

impl Letters {
    pub(crate) fn len(&self) -> usize {
        match self {
            Self::Memory(letters) => letters.len(),
            Self::Disk(spilled) => usize::try_from(spilled.length).unwrap_or(usize::MAX),
        }
    }

    /// All letters in memory.
    pub(crate) fn into_memory(self) -> Result<Vec<u8>, LettersError> {
        match self {
            Self::Memory(letters) => Ok(letters),
            Self::Disk(mut spilled) => {
                let mut letters = Vec::new();
                letters.try_reserve_exact(usize::try_from(spilled.length).unwrap_or(usize::MAX))?;
                spilled.each(|piece| letters.extend_from_slice(piece))?;
                Ok(letters)
            }
        }
    }

    /// Passes all letters on, piece by piece.
    pub(crate) fn each(&mut self, mut piece: impl FnMut(&[u8])) -> Result<(), ScratchError> {
        match self {
            Self::Memory(letters) => {
                piece(letters);
                Ok(())
            }
            Self::Disk(spilled) => spilled.each(piece),
        }
    }

    /// The first letter that is not a nucleotide code: [`Record::invalid_letter`](crate::Record).
    pub(crate) fn invalid_letter(&mut self) -> Result<Option<InvalidLetter>, ScratchError> {
        let (mut found, mut before) = (None, 0);
        self.each(|piece| {
            if found.is_none() {
                found = invalid_letter(piece, before);
            }
            before += piece.len() as u64;
        })?;
        Ok(found)
    }

    /// The letters in `range`. Ranges are asked for in ascending order, overlaps aside.
    pub(crate) fn read(&mut self, range: &Range<usize>) -> Result<Vec<u8>, ScratchError> {
        match self {
            Self::Memory(letters) => Ok(letters[range.clone()].to_vec()),
            Self::Disk(spilled) => spilled.read(range),
        }
    }
}

/// Letters in an unnamed temporary file, which vanishes with this value, and a window of them.
#[derive(Debug)]
pub(crate) struct Spilled {
    file: File,
    length: u64,
    scratch: PathBuf,
    /// The offset of the window in the file.
    start: usize,
    window: Vec<u8>,
}

impl Spilled {
    fn new(file: File, length: u64, scratch: PathBuf) -> Self {
        Self { file, length, scratch, start: 0, window: Vec::new() }
    }

    fn error(scratch: &Path, cause: io::Error) -> ScratchError {
        ScratchError { scratch: scratch.to_owned(), cause }
    }

    fn each(&mut self, mut piece: impl FnMut(&[u8])) -> Result<(), ScratchError> {
        let error = |cause| Self::error(&self.scratch, cause);
        self.file.rewind().map_err(error)?;
        let mut left = self.length;
        (self.start, self.window) = (0, vec![0; WINDOW_BYTES]);
        while left > 0 {
            let count = WINDOW_BYTES.min(usize::try_from(left).unwrap_or(WINDOW_BYTES));
            self.file.read_exact(&mut self.window[..count]).map_err(error)?;
            piece(&self.window[..count]);
            left -= count as u64;
        }
        // Windows start again at the first letter.
        self.window.clear();
        self.file.rewind().map_err(error)
    }

    fn read(&mut self, range: &Range<usize>) -> Result<Vec<u8>, ScratchError> {
        let error = |cause| Self::error(&self.scratch, cause);
        debug_assert!(range.start >= self.start, "ranges ascend");
        if range.end > self.start + self.window.len() {
            self.window.drain(..range.start - self.start);
            self.start = range.start;
            let wanted = range.len().max(WINDOW_BYTES) - self.window.len();
            let file = (&mut self.file).take(wanted as u64);
            { file }.read_to_end(&mut self.window).map_err(error)?;
        }
        let start = range.start - self.start;
        let letters = self.window.get(start..start + range.len());
        letters.map(<[u8]>::to_vec).ok_or_else(|| error(io::ErrorKind::UnexpectedEof.into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn gather(gatherer: &mut Gatherer, pieces: &[&str]) -> Letters {
        gatherer.start();
        pieces.iter().for_each(|piece| gatherer.add(piece.as_bytes()).unwrap());
        gatherer.finish().unwrap()
    }

    proptest! {
        #[test]
        fn letters_on_disk_are_those_in_memory(
            pieces in proptest::collection::vec("[ACGTUu \t]{0,9}", 0..40), limit in 1usize..60,
            chunk in 1usize..30, overlap in 0usize..10,
        ) {
            let dir = tempfile::tempdir().unwrap();
            let pieces: Vec<&str> = pieces.iter().map(String::as_str).collect();
            let mut memory = gather(&mut Gatherer::default(), &pieces);
            let mut disk = gather(&mut Gatherer::with_limit(dir.path(), limit), &pieces);
            let expected: String = pieces.concat().replace([' ', '\t'], "").replace('U', "T").replace('u', "t");
            prop_assert_eq!((memory.len(), disk.len()), (expected.len(), expected.len()));
            for letters in [&mut memory, &mut disk] {
                let mut all = Vec::new();
                letters.each(|piece| all.extend_from_slice(piece)).unwrap();
                prop_assert_eq!(all, expected.as_bytes());
                let mut start = 0;
                while start < expected.len() {
                    let range = start..(start + chunk).min(expected.len());
                    prop_assert_eq!(letters.read(&range).unwrap(), &expected.as_bytes()[range]);
                    start += chunk.saturating_sub(overlap).max(1);
                }
            }
            prop_assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
            prop_assert_eq!(disk.into_memory().unwrap(), expected.into_bytes());
        }
    }

    #[test]
    fn windows_move_over_a_long_record() {
        let dir = tempfile::tempdir().unwrap();
        let mut gatherer = Gatherer::with_limit(dir.path(), 1000);
        gatherer.start();
        let letter = |at: usize| b"ACGT"[(at * at / 7 + at) % 4];
        let length = 3 * WINDOW_BYTES + 77;
        (0..length).for_each(|at| gatherer.add(&[letter(at)]).unwrap());
        let mut letters = gatherer.finish().unwrap();
        assert!(matches!(letters, Letters::Disk(_)));
        assert_eq!(letters.invalid_letter().unwrap(), None);
        for start in (0..length).step_by(437) {
            let range = start..(start + 500).min(length);
            let expected: Vec<u8> = range.clone().map(letter).collect();
            assert_eq!(letters.read(&range).unwrap(), expected);
        }
    }

    #[test]
    fn an_invalid_letter_behind_a_window_has_its_position() {
        let dir = tempfile::tempdir().unwrap();
        let mut gatherer = Gatherer::with_limit(dir.path(), 1000);
        gatherer.start();
        gatherer.add(&vec![b'A'; WINDOW_BYTES + 5]).unwrap();
        gatherer.add(b"CE").unwrap();
        let found = gatherer.finish().unwrap().invalid_letter().unwrap().unwrap();
        assert_eq!((found.letter, found.position), (b'E', WINDOW_BYTES as u64 + 7));
    }
}
