//! Sorting in bounded memory: sorted runs in temporary files, merged at the end.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::fs::File;
use std::io::{self, BufReader, BufWriter, ErrorKind, Read, Seek, Write};
use std::path::{Path, PathBuf};

use crate::error::io_at;

/// Memory for items before they are sorted and written to disk, unless the caller sets it.
const BUFFER_BYTES: usize = 4 << 20;
/// Runs of a level that are merged into one of the next: bounds the open files at this number
/// times the logarithm of the input.
const FAN_IN: usize = 64;

/// What can be sorted on disk.
pub trait Sortable: Ord + Sized {
    /// Memory that it takes, in bytes.
    fn size_bytes(&self) -> usize;
    /// Writes it.
    ///
    /// # Errors
    /// What `out` fails with.
    fn write(&self, out: &mut impl Write) -> io::Result<()>;
    /// Reads the next one; none at the end.
    ///
    /// # Errors
    /// What `input` fails with.
    fn read(input: &mut impl Read) -> io::Result<Option<Self>>;
}

/// A key and a number: what is sorted, by the bytes of the key and then by the number.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Entry {
    /// What is compared first.
    pub key: Vec<u8>,
    /// What is compared among equal keys.
    pub value: u64,
}

impl Sortable for Entry {
    fn size_bytes(&self) -> usize {
        self.key.len() + size_of::<Self>()
    }

    fn write(&self, out: &mut impl Write) -> io::Result<()> {
        out.write_all(&(self.key.len() as u64).to_le_bytes())?;
        out.write_all(&self.value.to_le_bytes())?;
        out.write_all(&self.key)
    }

    fn read(input: &mut impl Read) -> io::Result<Option<Self>> {
        let Some(length) = <u64 as Sortable>::read(input)? else { return Ok(None) };
        let mut value = [0; 8];
        input.read_exact(&mut value)?;
        // No other process can open the file: its lengths are those that were written.
        let mut key = vec![0; usize::try_from(length).map_err(io::Error::other)?];
        input.read_exact(&mut key)?;
        Ok(Some(Self { key, value: u64::from_le_bytes(value) }))
    }
}

impl Sortable for u64 {
    fn size_bytes(&self) -> usize {
        size_of::<Self>()
    }

    fn write(&self, out: &mut impl Write) -> io::Result<()> {
        out.write_all(&self.to_le_bytes())
    }

    fn read(input: &mut impl Read) -> io::Result<Option<Self>> {
        let mut bytes = [0; 8];
        match input.read_exact(&mut bytes) {
            Err(error) if error.kind() == ErrorKind::UnexpectedEof => Ok(None),
            read => read.map(|()| Some(Self::from_le_bytes(bytes))),
        }
    }
}

/// Sorts any number of items in bounded memory: an external merge sort.
///
/// ```
/// use vnp_job::sorter::Sorter;
///
/// let dir = tempfile::tempdir()?;
/// let mut sorter = Sorter::new(dir.path());
/// for number in [3_u64, 1, 2] {
///     sorter.push(number)?;
/// }
/// assert_eq!(sorter.finish()?.collect::<Result<Vec<_>, _>>()?, [1, 2, 3]);
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug)]
pub struct Sorter<T = Entry> {
    dir: PathBuf,
    buffer: Vec<T>,
    buffered_bytes: usize,
    buffer_limit: usize,
    /// Sorted runs by level; each of a higher level was merged from those of the one below.
    levels: Vec<Vec<File>>,
}

impl Sorter<Entry> {
    /// Adds a key with its number.
    ///
    /// # Errors
    /// Those of [`push`](Self::push).
    pub fn add(&mut self, key: Vec<u8>, value: u64) -> io::Result<()> {
        self.push(Entry { key, value })
    }
}

impl<T: Sortable> Sorter<T> {
    /// Writes to unnamed temporary files in `dir`, which vanish with the process.
    #[must_use]
    pub fn new(dir: &Path) -> Self {
        Self::with_buffer(dir, BUFFER_BYTES)
    }

    /// As [`new`](Self::new), with memory for items of about `buffer_bytes`.
    #[must_use]
    pub fn with_buffer(dir: &Path, buffer_bytes: usize) -> Self {
        Self {
            dir: dir.to_owned(),
            buffer: Vec::new(),
            buffered_bytes: 0,
            buffer_limit: buffer_bytes,
            levels: Vec::new(),
        }
    }

    /// Adds an item.
    ///
    /// # Errors
    /// Those of writing to a temporary file.
    pub fn push(&mut self, item: T) -> io::Result<()> {
        self.buffered_bytes += item.size_bytes();
        self.buffer.push(item);
        if self.buffered_bytes >= self.buffer_limit {
            self.spill()?;
        }
        Ok(())
    }

    /// The items in order.
    ///
    /// # Errors
    /// Those of writing and reading temporary files.
    pub fn finish(mut self) -> io::Result<Sorted<T>> {
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
        let mut run = write_items(&self.dir, self.buffer.drain(..).map(Ok))?;
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
            run = write_items(&self.dir, Merge::<T>::of(runs)?)?;
        }
        Ok(())
    }
}

/// Sorted items, read one after the other.
#[derive(Debug)]
pub enum Sorted<T = Entry> {
    /// They fitted into memory.
    InMemory(std::vec::IntoIter<T>),
    /// They come from temporary files.
    OnDisk(Merge<T>),
}

impl<T: Sortable> Iterator for Sorted<T> {
    type Item = io::Result<T>;

    fn next(&mut self) -> Option<Self::Item> {
        match self {
            Self::InMemory(items) => items.next().map(Ok),
            Self::OnDisk(merge) => merge.next(),
        }
    }
}

/// Several sorted runs as one.
#[derive(Debug)]
pub struct Merge<T> {
    runs: Vec<BufReader<File>>,
    /// The next item of each run, with the run's index.
    heap: BinaryHeap<Reverse<(T, usize)>>,
}

impl<T: Sortable> Merge<T> {
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
            && let Some(item) = T::read(reader)?
        {
            self.heap.push(Reverse((item, run)));
        }
        Ok(())
    }
}

impl<T: Sortable> Iterator for Merge<T> {
    type Item = io::Result<T>;

    fn next(&mut self) -> Option<Self::Item> {
        let Reverse((item, run)) = self.heap.pop()?;
        Some(self.advance(run).map(|()| item))
    }
}

/// Writes items to an unnamed file in `dir`, for [`Sortable::read`] after a rewind.
///
/// # Errors
/// Those of writing; the message names the directory.
pub fn write_items<T: Sortable>(
    dir: &Path,
    items: impl Iterator<Item = io::Result<T>>,
) -> io::Result<File> {
    let error = |error: io::Error| io_at("sort in", dir, &error);
    let mut writer = BufWriter::new(tempfile::tempfile_in(dir).map_err(error)?);
    for item in items {
        item?.write(&mut writer).map_err(error)?;
    }
    writer.into_inner().map_err(|failed| error(failed.into_error()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sorted(entries: &[Entry], buffer_limit: usize) -> Vec<Entry> {
        let dir = tempfile::tempdir().unwrap();
        let mut sorter = Sorter::with_buffer(dir.path(), buffer_limit);
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
