//! Pre-1.6 (non-zip) files: pickles one after the other, then the storages.

use std::collections::{HashMap, HashSet};
use std::ops::Range;

use crate::budget::Budget;
use crate::error::kind::ErrorKind;
use crate::limits::{self, Limits};
use crate::read::container::Input;
use crate::read::torch::pickle::machine::{Machine, PickleSource};
use crate::read::torch::pickle::tree::{Item, Node, StorageNode, Tree};
use crate::read::torch::shown::shown;
use crate::read::window::Window;
use crate::tensor::block::Block;

/// The name of the bytes in messages.
const NAME: &str = "the file";

/// The first pickle: one integer.
const MAGIC: [u8; 10] = *b"\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19";

/// The second pickle.
const PROTOCOL: i64 = 1001;

/// Length of the number before each storage: its number of elements.
const COUNT_BYTES: u64 = 8;

/// How much is read to find the end of the pickles, at first.
const FIRST_BYTES: u64 = 1 << 20;

/// What a storage takes in memory: its place, and its key in three tables.
const KEY_BYTES: usize = 250;

/// The storages of such a file.
pub(crate) struct Legacy<R> {
    window: Window<R>,
    /// By place in the file.
    storages: Vec<Range<u64>>,
    indices: HashMap<String, u32>,
}

/// The pickles of such a file, read and run.
pub(crate) struct Pickles<'p> {
    pub(crate) tree: Tree<'p>,
    /// The keys of the storages, in file order.
    keys: Vec<&'p str>,
    end: u64,
}

/// Reads as much of the file as its pickles take.
pub(crate) fn read<R: Input>(window: &mut Window<R>, limits: &Limits) -> Result<Block, ErrorKind> {
    let most = window.file_bytes().min(limits.pickle_bytes);
    let mut length = most.min(FIRST_BYTES);
    loop {
        let mut block = Block::for_section(NAME, length)?;
        window.read_at(0, block.bytes_mut())?;
        // Run twice, so that the tree can borrow from the block that is kept.
        let budget = Budget::new(limits, window.file_bytes());
        let ran = run(block.bytes(), limits, &budget).map(drop);
        match ran {
            Err((_, true)) if length < most => length = most.min(length.saturating_mul(8)),
            Err((error, true)) if length < window.file_bytes() => {
                limits::check("pickle_bytes", most, window.file_bytes())?;
                return Err(error);
            }
            Err((error, _)) => return Err(error),
            Ok(()) => return Ok(block),
        }
    }
}

/// Runs the pickles; with an error, whether more bytes could help.
fn run<'p>(
    bytes: &'p [u8],
    limits: &Limits,
    budget: &'p Budget,
) -> Result<Pickles<'p>, (ErrorKind, bool)> {
    let mut position = 0;
    let mut next = |source: PickleSource| {
        let mut machine = Machine::new(bytes, position, source, NAME, limits, budget);
        let tree = machine.run().map_err(|error| (error, machine.ran_out()))?;
        let at = format!("byte {position} of {NAME}");
        position = machine.position();
        Ok((tree, at))
    };
    let bad = |at: String, expected: &str, found: &str| {
        (ErrorKind::bad_pickle(at, expected, found), false)
    };
    let (magic, at) = next(PickleSource::Archive)?;
    if magic.raw(magic.root()) != MAGIC {
        return Err(bad(at, "the number of PyTorch", "another value"));
    }
    let (protocol, at) = next(PickleSource::Archive)?;
    if !matches!(protocol.root(), Item::Int(PROTOCOL)) {
        return Err(bad(at, "1001", "another value"));
    }
    let (system, at) = next(PickleSource::Archive)?;
    let Some(entries) = system.dict(system.root()) else {
        return Err(bad(at, "a dict of the system", system.noun(system.root())));
    };
    let order = entries.iter().find(|(key, _)| system.is_text(*key, "little_endian"));
    match order {
        Some((_, Item::Bool(true))) => {}
        Some((_, Item::Bool(false))) => {
            let remedy = "load it with PyTorch on a little-endian machine and save it again";
            return Err((ErrorKind::unsupported("a file of a big-endian machine", remedy), false));
        }
        _ => return Err(bad(at, "whether it is little-endian", "nothing")),
    }
    let (tree, _) = next(PickleSource::Legacy)?;
    let (list, at) = next(PickleSource::Archive)?;
    let Some(Node::List(items)) = list.node_of(list.root()) else {
        return Err(bad(at, "a list of the keys", list.noun(list.root())));
    };
    let limit = limits::check("records", limits.records, items.len());
    limit.map_err(|error| (error, false))?;
    let refused = |error| (error, false);
    budget.memory(items.len().saturating_mul(KEY_BYTES)).map_err(refused)?;
    let bytes = items.iter().map(|&item| list.raw(item).len() as u64).sum::<u64>();
    budget.work(bytes).map_err(refused)?;
    budget.memory(bytes).map_err(refused)?;
    let keys = items.iter().map(|&item| list.text(item)).collect::<Option<Vec<_>>>();
    let Some(keys) = keys else { return Err(bad(at, "a list of the keys", "others")) };
    Ok(Pickles { tree, keys, end: position as u64 })
}

/// Runs the pickles of bytes from [`read`].
pub(crate) fn pickles<'p>(
    bytes: &'p [u8],
    limits: &Limits,
    budget: &'p Budget,
) -> Result<Pickles<'p>, ErrorKind> {
    run(bytes, limits, budget).map_err(|(error, _)| error)
}

impl<R: Input> Legacy<R> {
    /// Finds the storages, which fill the rest of the file exactly.
    pub(crate) fn open(window: Window<R>, pickles: &Pickles<'_>) -> Result<Self, ErrorKind> {
        let mut stated = HashMap::new();
        let storages = pickles.tree.nodes().filter(|node| matches!(node, Node::Storage(_)));
        pickles.tree.budget.memory(storages.count().saturating_mul(KEY_BYTES / 2))?;
        for node in pickles.tree.nodes() {
            if let Node::Storage(storage) = node
                && let Some(key) = pickles.tree.charged_text(storage.key)?
            {
                stated.insert(key, &**storage);
            }
        }
        if let Some(key) = missing(&stated, &pickles.keys) {
            let what = format!("storage `{}`", shown(key.as_bytes()));
            return Err(ErrorKind::bad_tensor(what, "to be in the list of keys", "not"));
        }
        let file_bytes = window.file_bytes();
        let mut legacy = Self { window, storages: Vec::new(), indices: HashMap::new() };
        let mut position = pickles.end;
        for (&key, index) in pickles.keys.iter().zip(0..) {
            let what = || format!("storage `{}`", shown(key.as_bytes()));
            let Some(storage) = stated.get(key) else {
                return Err(ErrorKind::bad_tensor(what(), "a tensor that needs it", "none"));
            };
            let size = storage.dtype.size_bytes() as u64;
            let mut count = [0; COUNT_BYTES as usize];
            if position.saturating_add(COUNT_BYTES) > file_bytes {
                let found_bytes = file_bytes;
                let expected_bytes = position.saturating_add(COUNT_BYTES);
                return Err(ErrorKind::Truncated { expected_bytes, found_bytes });
            }
            legacy.window.read_at(position, &mut count)?;
            let count = u64::from_le_bytes(count);
            let expected = match storage.count {
                Item::Int(count) => u64::try_from(count).ok(),
                _ => None,
            };
            if expected != Some(count) {
                let found = count.to_string();
                let expected = expected.map_or("a number".to_owned(), |count| count.to_string());
                return Err(ErrorKind::bad_tensor(what(), format!("{expected} elements"), found));
            }
            let start = position + COUNT_BYTES;
            let end = count.checked_mul(size).and_then(|bytes| start.checked_add(bytes));
            let Some(end) = end else {
                return Err(ErrorKind::bad_tensor(
                    what(),
                    "a number of elements",
                    count.to_string(),
                ));
            };
            if end > file_bytes {
                return Err(ErrorKind::Truncated { expected_bytes: end, found_bytes: file_bytes });
            }
            legacy.storages.push(start..end);
            if legacy.indices.insert(key.to_owned(), index).is_some() {
                return Err(ErrorKind::bad_tensor(what(), "one of this key", "more"));
            }
            position = end;
        }
        if position != file_bytes {
            return Err(ErrorKind::Surplus { expected_bytes: position, found_bytes: file_bytes });
        }
        Ok(legacy)
    }

    /// The index of a storage, and its length in bytes.
    pub(crate) fn find(&self, key: &str) -> Option<(u32, u64)> {
        let index = self.indices.get(key).copied()?;
        let range = self.storages.get(index as usize)?;
        Some((index, range.end - range.start))
    }

    /// Fills `into`, which is as long as the storage.
    pub(crate) fn read(&mut self, index: u32, into: &mut [u8]) -> Result<(), ErrorKind> {
        self.read_piece(index, 0, into)
    }

    /// Fills `into` with the bytes of the storage from `start` on.
    pub(crate) fn read_piece(
        &mut self,
        index: u32,
        start: u64,
        into: &mut [u8],
    ) -> Result<(), ErrorKind> {
        let Some(range) = self.storages.get(index as usize) else {
            return Err(ErrorKind::bad_tensor("unknown", "a storage", "none"));
        };
        self.window.read_steps(range.start.saturating_add(start), into, |_| {})
    }
}

/// A storage that no key of the list stands for.
fn missing<'k>(stated: &HashMap<&'k str, &StorageNode>, keys: &[&str]) -> Option<&'k str> {
    let keys: HashSet<&str> = keys.iter().copied().collect();
    stated.keys().copied().find(|key| !keys.contains(key))
}

#[cfg(test)]
mod tests {
    use vnp_forge::items::{dict, legacy, storage, texts, view};

    use super::*;
    use crate::read::container::Container;
    use crate::read::container::Integrity;
    use crate::read::torch::forged::{load, open};

    fn value(count: i64) -> Vec<u8> {
        let storage = storage("17", "Float", count, &[b"N".to_vec()]);
        dict(&[("ids", texts(&["a", "b"])), ("data", view(storage, 0, &[2], &[1]))])
    }

    const DATA: &[u8] = &[0, 0, 128, 63, 0, 0, 0, 64];

    #[test]
    fn storages_follow_the_pickles() {
        let bytes = legacy(&value(2), &[("17", 2, DATA)]);
        assert_eq!(open(&bytes).unwrap().integrity(), Integrity::Unverified);
        let read = load(&bytes).unwrap();
        assert_eq!((read.kind(), read.ids()), ("merged", &["a".to_owned(), "b".to_owned()][..]));
        assert_eq!(read.tensor("data").unwrap().as_f32().unwrap(), [1.0, 2.0]);
    }

    #[test]
    fn pickles_longer_than_what_is_read_at_first() {
        let ids: Vec<_> = (0..200_000).map(|number| format!("{number:06}")).collect();
        let ids = texts(&ids.iter().map(String::as_str).collect::<Vec<_>>());
        let storage = storage("0", "Byte", 200_000, &[b"N".to_vec()]);
        let value = dict(&[("ids", ids), ("data", view(storage, 0, &[200_000], &[1]))]);
        assert!(value.len() as u64 > FIRST_BYTES);
        let read = load(&legacy(&value, &[("0", 200_000, &[5; 200_000])])).unwrap();
        assert_eq!(read.ids()[199_999], "199999");
        assert_eq!(read.tensor("data").unwrap().as_u8().unwrap(), [5; 200_000]);
    }

    #[test]
    fn nothing_is_missing_and_nothing_follows() {
        let whole = legacy(&value(2), &[("17", 2, DATA)]);
        let Err(ErrorKind::Surplus { .. }) = load(&[&whole[..], b"x"].concat()) else {
            panic!("a byte too many was not seen")
        };
        let Err(ErrorKind::Truncated { .. }) = load(&whole[..whole.len() - 1]) else {
            panic!("a byte too few was not seen")
        };
        let Err(ErrorKind::Truncated { .. }) = load(&whole[..whole.len() - 9]) else {
            panic!("a number cut short was not seen")
        };
        for length in 15..whole.len() {
            assert!(load(&whole[..length]).is_err(), "{length}");
        }
    }

    #[track_caller]
    fn check_bad_tensor(bytes: &[u8]) {
        let Err(ErrorKind::BadTensor { .. }) = load(bytes) else { panic!("{:?}", load(bytes)) };
    }

    #[test]
    fn keys_and_counts_agree() {
        check_bad_tensor(&legacy(&value(2), &[]));
        check_bad_tensor(&legacy(&value(2), &[("18", 2, DATA)]));
        check_bad_tensor(&legacy(&value(2), &[("17", 2, DATA), ("18", 2, DATA)]));
        check_bad_tensor(&legacy(&value(2), &[("17", 2, DATA), ("17", 2, DATA)]));
        check_bad_tensor(&legacy(&value(2), &[("17", 1, DATA)]));
        check_bad_tensor(&legacy(&value(-1), &[("17", -1, DATA)]));
        check_bad_tensor(&legacy(&value(1), &[("17", 1, &DATA[..4])]));
    }
}
