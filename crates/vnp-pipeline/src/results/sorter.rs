//! Sorting lines in bounded memory: sorted runs in temporary files, merged at the end.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::fs::File;
use std::io::{self, BufRead, BufReader, BufWriter, Seek, Write};
use std::path::{Path, PathBuf};

use vnp_job::io_at;

/// Text held in memory before it is sorted and spilled.
const BUFFER_BYTES: usize = 4 << 20;
/// Runs of a level that are merged into one of the next: bounds the open files at this number
/// times the logarithm of the input.
const FAN_IN: usize = 64;

/// Sorts any number of keyed lines by the key's bytes in bounded memory: an external merge sort.
///
/// Lines of equal keys stay in the order in which they were added.
#[derive(Debug)]
pub(crate) struct Sorter {
    dir: PathBuf,
    buffer: Vec<(String, String)>,
    buffered_bytes: usize,
    buffer_limit: usize,
    /// Sorted runs by level; those of a higher level are older, each level is in order of age.
    levels: Vec<Vec<File>>,
}

impl Sorter {
    /// Spills into unnamed temporary files in `dir`, which vanish with the process.
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

    /// Adds a line. Neither text may hold a tab or a line feed.
    pub(crate) fn add(&mut self, key: String, value: String) -> io::Result<()> {
        self.buffered_bytes += key.len() + value.len() + 2 * size_of::<String>();
        self.buffer.push((key, value));
        if self.buffered_bytes >= self.buffer_limit {
            self.spill()?;
        }
        Ok(())
    }

    /// Hands every line to `line`, in order.
    pub(crate) fn finish(
        mut self,
        mut line: impl FnMut(&str, &str) -> io::Result<()>,
    ) -> io::Result<()> {
        if self.levels.is_empty() {
            self.buffer.sort_by(|(a, _), (b, _)| a.cmp(b));
            return self.buffer.iter().try_for_each(|(key, value)| line(key, value));
        }
        self.spill()?;
        merge(self.levels.into_iter().rev().flatten().collect(), line)
    }

    fn scratch(&self) -> io::Result<File> {
        tempfile::tempfile_in(&self.dir).map_err(|error| io_at("write", &self.dir, &error))
    }

    fn spill(&mut self) -> io::Result<()> {
        self.buffer.sort_by(|(a, _), (b, _)| a.cmp(b));
        let mut writer = BufWriter::new(self.scratch()?);
        for (key, value) in self.buffer.drain(..) {
            writeln!(writer, "{key}\t{value}")?;
        }
        self.buffered_bytes = 0;
        let mut run = writer.into_inner()?;
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
            let mut writer = BufWriter::new(self.scratch()?);
            merge(runs, |key, value| writeln!(writer, "{key}\t{value}"))?;
            run = writer.into_inner()?;
        }
        Ok(())
    }
}

fn merge(runs: Vec<File>, mut line: impl FnMut(&str, &str) -> io::Result<()>) -> io::Result<()> {
    let mut readers = Vec::with_capacity(runs.len());
    let mut heap = BinaryHeap::with_capacity(runs.len());
    for (run, mut file) in runs.into_iter().enumerate() {
        file.rewind()?;
        let mut reader = BufReader::with_capacity(1 << 14, file);
        if let Some((key, value)) = next(&mut reader)? {
            heap.push(Reverse((key, run, value)));
        }
        readers.push(reader);
    }
    // Equal keys come out by run, and runs are in the order in which their lines were added.
    while let Some(Reverse((key, run, value))) = heap.pop() {
        line(&key, &value)?;
        if let Some(reader) = readers.get_mut(run)
            && let Some((key, value)) = next(reader)?
        {
            heap.push(Reverse((key, run, value)));
        }
    }
    Ok(())
}

fn next(reader: &mut impl BufRead) -> io::Result<Option<(String, String)>> {
    let mut line = String::new();
    if reader.read_line(&mut line)? == 0 {
        return Ok(None);
    }
    let line = line.trim_end_matches('\n');
    let (key, value) = line.split_once('\t').unwrap_or((line, ""));
    Ok(Some((key.to_owned(), value.to_owned())))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sorted(lines: &[(String, String)], buffer_limit: usize) -> Vec<(String, String)> {
        let dir = tempfile::tempdir().unwrap();
        let mut sorter = Sorter::with_limit(dir.path(), buffer_limit);
        for (key, value) in lines {
            sorter.add(key.clone(), value.clone()).unwrap();
        }
        let mut out = Vec::new();
        sorter
            .finish(|key, value| {
                out.push((key.to_owned(), value.to_owned()));
                Ok(())
            })
            .unwrap();
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0, "a run was left behind");
        out
    }

    /// Whatever the buffer holds, spilling and merging equal one stable sort in memory.
    #[test]
    fn sorting_in_pieces_is_sorting() {
        let lines: Vec<(String, String)> = (0..3_000_u64)
            .map(|i| (format!("id{}_é", i.wrapping_mul(0x9E37_79B9) % 500), i.to_string()))
            .collect();
        let mut expected = lines.clone();
        expected.sort_by(|(a, _), (b, _)| a.cmp(b));
        for limit in [1, 200, 5_000, usize::MAX] {
            assert_eq!(sorted(&lines, limit), expected, "buffer of {limit} bytes");
        }
        assert_eq!(sorted(&[], 1), []);
    }
}
