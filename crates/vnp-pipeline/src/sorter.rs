//! Sorting in bounded memory: sorted runs in temporary files, merged at the end.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::fs::File;
use std::io::{self, BufReader, BufWriter, ErrorKind, Read, Seek, Write};
use std::path::{Path, PathBuf};

use vnp_job::io_at;

/// Memory for entries before they are sorted and written to disk.
const BUFFER_BYTES: usize = 4 << 20;
/// Runs of a level that are merged into one of the next: bounds the open files at this number
/// times the logarithm of the input.
const FAN_IN: usize = 64;

/// A key and a number: what is sorted, by the bytes of the key and then by the number.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Entry {
    pub(crate) key: Vec<u8>,
    pub(crate) value: u64,
}

/// Sorts any number of entries in bounded memory: an external merge sort.
#[derive(Debug)]
pub(crate) struct Sorter {
    dir: PathBuf,
    buffer: Vec<Entry>,
    buffered_bytes: usize,
    buffer_limit: usize,
    /// Sorted runs by level; each of a higher level was merged from those of the one below.
    levels: Vec<Vec<File>>,
}

impl Sorter {
    /// Writes to unnamed temporary files in `dir`, which vanish with the process.
    pub(crate) fn new(dir: &Path) -> Self {
        Self::with_limit(dir, BUFFER_BYTES)
    }

    fn with_limit(dir: &Path, buffer_limit: usize) -> Self {
        Self {
            dir: dir.to_owned(),
            buffer: Vec::new(),
            buffered_bytes: 0,
            buffer_limit,
            levels: Vec::new(),
        }
    }

    pub(crate) fn add(&mut self, key: Vec<u8>, value: u64) -> io::Result<()> {
        self.buffered_bytes += key.len() + size_of::<Entry>();
        self.buffer.push(Entry { key, value });
        if self.buffered_bytes >= self.buffer_limit {
            self.spill()?;
        }
        Ok(())
    }

    /// The entries in order.
    pub(crate) fn finish(mut self) -> io::Result<Sorted> {
        if !self.levels.is_empty() {
            self.spill()?;
            let merge = Merge::of(self.levels.into_iter().flatten().collect())?;
            return Ok(Sorted::OnDisk(merge));
        }
        self.buffer.sort_unstable();
        Ok(Sorted::InMemory(self.buffer.into_iter()))
    }

    fn spill(&mut self) -> io::Result<()> {
        self.buffer.sort_unstable();
        let mut run = write_entries(&self.dir, self.buffer.drain(..).map(Ok))?;
        self.buffered_bytes = 0;
        for level in 0.. {
            if self.levels.len() <= level {
                self.levels.push(Vec::new());
            }
            let Some(runs) = self.levels.get_mut(level) else { break };
            runs.push(run);
            if runs.len() < FAN_IN {
                break;
            }
            let runs = std::mem::take(runs);
            run = write_entries(&self.dir, Merge::of(runs)?)?;
        }
        Ok(())
    }
}

/// Sorted entries, read one after the other.
#[derive(Debug)]
pub(crate) enum Sorted {
    InMemory(std::vec::IntoIter<Entry>),
    OnDisk(Merge),
}

impl Iterator for Sorted {
    type Item = io::Result<Entry>;

    fn next(&mut self) -> Option<Self::Item> {
        match self {
            Self::InMemory(entries) => entries.next().map(Ok),
            Self::OnDisk(merge) => merge.next(),
        }
    }
}

/// Several sorted runs as one.
#[derive(Debug)]
pub(crate) struct Merge {
    runs: Vec<BufReader<File>>,
    /// The next entry of each run, with the run's index.
    heap: BinaryHeap<Reverse<(Entry, usize)>>,
}

impl Merge {
    fn of(files: Vec<File>) -> io::Result<Self> {
        let mut merge = Self { runs: Vec::new(), heap: BinaryHeap::new() };
        for (run, mut file) in files.into_iter().enumerate() {
            file.rewind()?;
            merge.runs.push(BufReader::with_capacity(1 << 14, file));
            merge.advance(run)?;
        }
        Ok(merge)
    }

    fn advance(&mut self, run: usize) -> io::Result<()> {
        if let Some(reader) = self.runs.get_mut(run)
            && let Some(entry) = read_entry(reader)?
        {
            self.heap.push(Reverse((entry, run)));
        }
        Ok(())
    }
}

impl Iterator for Merge {
    type Item = io::Result<Entry>;

    fn next(&mut self) -> Option<Self::Item> {
        let Reverse((entry, run)) = self.heap.pop()?;
        Some(self.advance(run).map(|()| entry))
    }
}

/// Writes entries to an unnamed file in `dir`: the length of its key, the value and the key of each.
pub(crate) fn write_entries(
    dir: &Path,
    entries: impl Iterator<Item = io::Result<Entry>>,
) -> io::Result<File> {
    let error = |error: io::Error| io_at("sort ids in", dir, &error);
    let mut writer = BufWriter::new(tempfile::tempfile_in(dir).map_err(error)?);
    for entry in entries {
        let Entry { key, value } = entry?;
        let (length, value) = ((key.len() as u64).to_le_bytes(), value.to_le_bytes());
        for piece in [&length[..], &value, &key] {
            writer.write_all(piece).map_err(error)?;
        }
    }
    writer.into_inner().map_err(|failed| error(failed.into_error()))
}

/// Reads the next entry of such a file; none at its end.
pub(crate) fn read_entry(reader: &mut impl Read) -> io::Result<Option<Entry>> {
    let mut length = [0; 8];
    match reader.read_exact(&mut length) {
        Err(error) if error.kind() == ErrorKind::UnexpectedEof => return Ok(None),
        read => read?,
    }
    let mut value = [0; 8];
    reader.read_exact(&mut value)?;
    // No other process can open the file: its lengths are those that were written.
    let mut key = vec![0; usize::try_from(u64::from_le_bytes(length)).map_err(io::Error::other)?];
    reader.read_exact(&mut key)?;
    Ok(Some(Entry { key, value: u64::from_le_bytes(value) }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sorted(entries: &[Entry], buffer_limit: usize) -> Vec<Entry> {
        let dir = tempfile::tempdir().unwrap();
        let mut sorter = Sorter::with_limit(dir.path(), buffer_limit);
        for entry in entries {
            sorter.add(entry.key.clone(), entry.value).unwrap();
        }
        let out = sorter.finish().unwrap().map(Result::unwrap).collect();
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0, "a run was left behind");
        out
    }

    /// Whatever the buffer holds, sorting in pieces equals one sort in memory.
    #[test]
    fn sorting_in_pieces_is_sorting() {
        let entries: Vec<Entry> = (0..3_000_u64)
            .map(|i| Entry {
                key: format!("id{}_\u{e9}\n\t", i.wrapping_mul(0x9E37_79B9) % 500).into_bytes(),
                value: i,
            })
            .collect();
        let mut expected = entries.clone();
        expected.sort();
        for limit in [1, 200, 5_000, usize::MAX] {
            assert_eq!(sorted(&entries, limit), expected, "buffer of {limit} bytes");
        }
        assert_eq!(sorted(&[], 1), []);
    }
}
