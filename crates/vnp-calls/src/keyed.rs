//! Values of equal keys, brought together on disk: sorted by key, merged, and sorted back into the order in
//! which the keys first came.

use std::path::{Path, PathBuf};

use serde::Serialize;
use serde::de::DeserializeOwned;
use vnp_job::sorter::{Entry, Sorter};

use crate::error::Error;

/// Bytes of a number in an entry.
const NUMBER_BYTES: usize = 8;

/// A value that takes up another one of its key.
pub(crate) trait Merge: Serialize + DeserializeOwned {
    /// Takes up what came later.
    fn merge(&mut self, later: Self);
}

/// Values with keys, of which any number may have the same. Memory is bounded.
#[derive(Debug)]
pub(crate) struct Keyed {
    scratch: PathBuf,
    buffer_bytes: usize,
    sorter: Sorter,
    /// The number of the next value.
    number: u64,
}

impl Keyed {
    /// Sorts in unnamed files in `scratch`, with memory for values of about twice `buffer_bytes`.
    pub(crate) fn new(scratch: &Path, buffer_bytes: usize) -> Self {
        let sorter = Sorter::with_buffer(scratch, buffer_bytes);
        Self { scratch: scratch.to_owned(), buffer_bytes, sorter, number: 0 }
    }

    /// Adds a value.
    pub(crate) fn add(&mut self, key: &[u8], value: &impl Merge) -> Result<(), Error> {
        self.sorter.push(entry(key, self.number, value)?)?;
        self.number += 1;
        Ok(())
    }

    /// Gives one value for each key to `each`, in the order of the first value of each key.
    pub(crate) fn finish<T: Merge>(
        self,
        mut each: impl FnMut(T) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let mut merged = Sorter::with_buffer(&self.scratch, self.buffer_bytes);
        let mut current: Option<(Vec<u8>, u64, T)> = None;
        for next in self.sorter.finish()? {
            let next = next?;
            let (key, value): (_, T) = read(&next)?;
            match &mut current {
                Some((same, _, first)) if same == key => first.merge(value),
                _ => {
                    if let Some((_, number, first)) = current.take() {
                        merged.push(entry(&[], number, &first)?)?;
                    }
                    current = Some((key.to_vec(), next.value, value));
                }
            }
        }
        if let Some((_, number, first)) = current {
            merged.push(entry(&[], number, &first)?)?;
        }
        for next in merged.finish()? {
            each(read(&next?)?.1)?;
        }
        Ok(())
    }
}

/// An entry that sorts next to those of the same key, and among them by `number`, which no other one has.
fn entry(key: &[u8], number: u64, value: &impl Serialize) -> Result<Entry, Error> {
    let mut bytes = (key.len() as u64).to_be_bytes().to_vec();
    bytes.extend_from_slice(key);
    bytes.extend(number.to_be_bytes());
    rmp_serde::encode::write(&mut bytes, value).map_err(|_| Error::Scratch)?;
    Ok(Entry { key: bytes, value: number })
}

/// The key and the value of such an entry; its number is [`Entry::value`].
fn read<T: DeserializeOwned>(entry: &Entry) -> Result<(&[u8], T), Error> {
    let (length, rest) = entry.key.split_first_chunk::<NUMBER_BYTES>().ok_or(Error::Scratch)?;
    let length = usize::try_from(u64::from_be_bytes(*length)).map_err(|_| Error::Scratch)?;
    let (key, rest) = rest.split_at_checked(length).ok_or(Error::Scratch)?;
    let value = rest.get(NUMBER_BYTES..).ok_or(Error::Scratch)?;
    Ok((key, rmp_serde::from_slice(value).map_err(|_| Error::Scratch)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    impl Merge for Vec<u64> {
        fn merge(&mut self, later: Self) {
            self.extend(later);
        }
    }

    #[test]
    fn values_of_a_key_come_together_in_order() {
        let dir = tempfile::tempdir().unwrap();
        for buffer_bytes in [1, 1 << 20] {
            let mut keyed = Keyed::new(dir.path(), buffer_bytes);
            for (number, key) in ["b", "a", "", "b", "aa", "", "b"].iter().enumerate() {
                keyed.add(key.as_bytes(), &vec![number as u64]).unwrap();
            }
            let mut found = Vec::new();
            keyed.finish(|value: Vec<u64>| Ok(found.push(value))).unwrap();
            assert_eq!(found, [vec![0, 3, 6], vec![1], vec![2, 5], vec![4]]);
        }
    }
}
