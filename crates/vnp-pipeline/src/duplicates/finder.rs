//! Finding ids that occur more than once in a file, in bounded memory, and numbering them.

use std::fs::File;
use std::io::{self, BufReader, Seek};
use std::iter::Peekable;
use std::path::{Path, PathBuf};

use vnp_escape::{escaped_path, shown_bytes};
use vnp_job::sorter::{Entry, Sortable, Sorted, Sorter, write_items};
use vnp_seq::RecordHead;

use super::{Duplicate, DuplicateIds, Duplicates};
use crate::error::Error;

/// Finds duplicates among the records of one input after the other.
///
/// The ids are sorted on disk, so that memory does not grow with the input, and compared whole: among a
/// billion of records two 64-bit hashes would be equal by chance in one input out of thirty.
#[derive(Debug)]
pub(crate) struct DuplicateFinder<'a> {
    scratch: &'a Path,
    /// The names of the inputs.
    names: &'a [PathBuf],
    mode: DuplicateIds,
    input: usize,
    /// The number of the input's first record.
    first_record: u64,
    /// Ids of the input, with the numbers of their records.
    ids: Sorter,
    /// Ids of the input that end in a number: what is before it, and the number.
    taken: Sorter,
    /// Numbers of records, with those to append to their ids.
    suffixes: Sorter,
    found: Duplicates,
}

impl<'a> DuplicateFinder<'a> {
    /// Sorts in unnamed files in `scratch`.
    pub(crate) fn new(scratch: &'a Path, names: &'a [PathBuf], mode: DuplicateIds) -> Self {
        let sorter = || Sorter::new(scratch);
        let (ids, taken, suffixes) = (sorter(), sorter(), sorter());
        let (input, first_record, found) = (0, 0, Duplicates::default());
        Self { scratch, names, mode, input, first_record, ids, taken, suffixes, found }
    }

    /// Adds the next record.
    pub(crate) fn add(&mut self, record: &RecordHead) -> io::Result<()> {
        if record.input != self.input {
            self.end_input()?;
            (self.input, self.first_record) = (record.input, record.number);
        }
        let id = record.raw_id().into_owned();
        if self.mode == DuplicateIds::Number
            && let Some((base, number)) = numbered(&id)
        {
            self.taken.add(base.to_vec(), number)?;
        }
        self.ids.add(id, record.number)
    }

    /// Warns of the duplicates of all inputs, or refuses them. Returns their number, and the suffixes of
    /// their ids.
    pub(crate) fn finish(self) -> Result<(u64, Suffixes), Error> {
        let mode = self.mode;
        let (found, suffixes) = self.find()?;
        match mode {
            _ if found.records == 0 => {}
            DuplicateIds::Refuse => return Err(Error::DuplicateIds { found }),
            DuplicateIds::Warn => log::warn!(
                "{found}: in the tables they cannot be distinguished by name; predict \
                 --duplicate-ids number appends numbers to them there"
            ),
            DuplicateIds::Number => {
                log::warn!("{found}: numbers are appended to their ids in the tables");
            }
        }
        Ok((found.records, suffixes))
    }

    fn find(mut self) -> io::Result<(Duplicates, Suffixes)> {
        self.end_input()?;
        let mut suffixes = self.suffixes.finish()?.peekable();
        let file = match suffixes.peek() {
            Some(_) => Some(write_items(self.scratch, suffixes)?),
            None => None,
        };
        Ok((self.found, Suffixes(file)))
    }

    fn end_input(&mut self) -> io::Result<()> {
        let finish =
            |sorter: &mut Sorter| std::mem::replace(sorter, Sorter::new(self.scratch)).finish();
        let (ids, taken) = (finish(&mut self.ids)?, finish(&mut self.taken)?);
        let mut taken = taken.peekable();
        let mut earlier = None;
        let mut number = 2;
        for entry in ids {
            let Entry { key, value } = entry?;
            if earlier.as_ref() != Some(&key) {
                (earlier, number) = (Some(key), 2);
                continue;
            }
            if self.mode == DuplicateIds::Number {
                number = free_number(&mut taken, &key, number)?;
                self.suffixes.add(value.to_be_bytes().to_vec(), number)?;
                number += 1;
            }
            let (input, record) = (self.input, value - self.first_record + 1);
            let file = self.names.get(input).map(|name| escaped_path(name).to_string());
            let (file, id) = (file.unwrap_or_default(), shown_bytes(&key).to_string());
            self.found.add(Duplicate { input, file, record, id });
        }
        Ok(())
    }
}

/// The id without the number after its last point, and that number, if it is one that is appended.
fn numbered(id: &[u8]) -> Option<(&[u8], u64)> {
    let point = id.iter().rposition(|byte| *byte == b'.')?;
    let (base, rest) = id.split_at(point);
    let digits = str::from_utf8(rest.get(1..)?).ok()?;
    let number: u64 = digits.parse().ok()?;
    // "02" and "+2" are other ids.
    (number >= 2 && number.to_string() == digits).then_some((base, number))
}

/// The first number from `number` on that no id has after `base` and a point. Asked for in order.
fn free_number(taken: &mut Peekable<Sorted>, base: &[u8], mut number: u64) -> io::Result<u64> {
    while let Some(next) = taken.peek() {
        if let Ok(Entry { key, value }) = next {
            let found = (key.as_slice(), *value);
            if found > (base, number) {
                break;
            }
            number += u64::from(found == (base, number));
        }
        taken.next().transpose()?;
    }
    Ok(number)
}

/// The numbers that are appended to ids, by record.
#[derive(Debug, Default)]
pub(crate) struct Suffixes(Option<File>);

impl Suffixes {
    /// Reads the suffixes from the first one on; one reader at a time.
    pub(crate) fn read(&self) -> io::Result<SuffixReader> {
        let Some(file) = &self.0 else { return Ok(SuffixReader::default()) };
        let mut file = file.try_clone()?;
        file.rewind()?;
        let mut reader = SuffixReader { file: Some(BufReader::new(file)), next: None };
        reader.advance()?;
        Ok(reader)
    }
}

/// Reads suffixes in the order of the records.
#[derive(Debug, Default)]
pub(crate) struct SuffixReader {
    file: Option<BufReader<File>>,
    next: Option<Entry>,
}

impl SuffixReader {
    /// The number to append to the id of this record, if it has one. Records are asked for in order.
    pub(crate) fn of(&mut self, record: u64) -> io::Result<Option<u64>> {
        match &self.next {
            Some(Entry { key, value }) if *key == record.to_be_bytes() => {
                let suffix = *value;
                self.advance()?;
                Ok(Some(suffix))
            }
            _ => Ok(None),
        }
    }

    fn advance(&mut self) -> io::Result<()> {
        self.next = match &mut self.file {
            Some(file) => Entry::read(file)?,
            None => None,
        };
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The ids of one or several inputs, and what they become in tables.
    #[track_caller]
    fn check(inputs: &[&[&str]], records: u64, expected: &str) {
        let dir = tempfile::tempdir().unwrap();
        let mut finder = DuplicateFinder::new(dir.path(), &[], DuplicateIds::Number);
        let mut heads = Vec::new();
        for (input, ids) in inputs.iter().enumerate() {
            for id in *ids {
                let number = heads.len() as u64;
                let id = (*id).to_owned();
                heads.push(RecordHead { number, input, id, ..RecordHead::default() });
            }
        }
        heads.iter().for_each(|head| finder.add(head).unwrap());
        let (found, suffixes) = finder.find().unwrap();
        for _ in 0..2 {
            let mut reader = suffixes.read().unwrap();
            let names: Vec<String> = heads
                .iter()
                .map(|head| match reader.of(head.number).unwrap() {
                    Some(number) => format!("{}.{number}", head.id),
                    None => head.id.clone(),
                })
                .collect();
            assert_eq!(names.join(" "), expected);
        }
        assert_eq!(found.records, records);
    }

    #[test]
    fn later_ids_get_numbers_that_no_id_has() {
        check(&[], 0, "");
        check(&[&["a", "b"]], 0, "a b");
        check(&[&["a", "b", "a", "a"]], 2, "a b a.2 a.3");
        check(&[&["a", "a", "a.2", "a", "a.3", "a.10"]], 2, "a a.4 a.2 a.5 a.3 a.10");
        check(&[&["a.2", "a", "a", "a.2", "a.2.2"]], 2, "a.2 a a.3 a.2.3 a.2.2");
        check(&[&["a.02", "a.+2", "a.x", "a", "a"]], 1, "a.02 a.+2 a.x a a.2");
        check(&[&["", "", "."]], 1, " .2 .");
        // Keys that stand between an id and its numbered forms.
        check(&[&["a", "a!", "a-", "a", "a.2", "a!", "a/"]], 2, "a a! a- a.3 a.2 a!.2 a/");
    }

    #[test]
    fn files_have_ids_of_their_own() {
        check(&[&["a", "b"], &["a"], &[], &["a", "a"]], 1, "a b a a a.2");
    }

    #[test]
    fn many_duplicates_are_counted_and_the_first_are_named() {
        let dir = tempfile::tempdir().unwrap();
        let mut finder = DuplicateFinder::new(dir.path(), &[], DuplicateIds::Warn);
        for number in 0..200_000_u64 {
            let id = format!("some longer id {}", number.wrapping_mul(0x9E37_79B9) % 150_000);
            finder.add(&RecordHead { number, id, ..RecordHead::default() }).unwrap();
        }
        let (found, _) = finder.find().unwrap();
        let distinct: std::collections::HashSet<u64> =
            (0..200_000_u64).map(|number| number.wrapping_mul(0x9E37_79B9) % 150_000).collect();
        assert_eq!(found.records, 200_000 - distinct.len() as u64);
        assert_eq!(found.first.len(), 3);
        assert!(found.first.is_sorted(), "{found}");
    }
}
