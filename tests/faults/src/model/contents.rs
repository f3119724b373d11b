//! One file of the model: its durable bytes, and the changes that a loss of power may lose.

use std::sync::Arc;

/// With more pending writes than this, only a sample of them is tried as the last one that survives.
const EACH: usize = 64;

/// A change to a file.
#[derive(Clone, Debug)]
pub(super) enum Change {
    Write { offset: u64, data: Arc<[u8]> },
    Resize(u64),
}

impl Change {
    fn apply(&self, contents: &mut Vec<u8>) {
        match self {
            Self::Write { offset, data } => put(contents, *offset as usize, data),
            Self::Resize(length) => contents.resize(*length as usize, 0),
        }
    }

    /// The first half of the change; `None` if it cannot be cut.
    fn half(&self) -> Option<Self> {
        match self {
            Self::Write { offset, data } if data.len() > 1 => {
                let half = data.get(..data.len() / 2)?;
                Some(Self::Write { offset: *offset, data: half.into() })
            }
            _ => None,
        }
    }

    /// The change to the length without the data.
    fn hollow(&self) -> Self {
        match self {
            Self::Write { offset, data } => {
                Self::Write { offset: *offset, data: vec![0; data.len()].into() }
            }
            Self::Resize(length) => Self::Resize(*length),
        }
    }
}

/// A file: its durable bytes, and the changes since then.
#[derive(Clone, Debug, Default)]
pub(super) struct Contents {
    durable: Vec<u8>,
    pending: Vec<Change>,
    /// The number of durable changes.
    settled: usize,
}

impl Contents {
    pub(super) fn on_disk(durable: Vec<u8>) -> Self {
        Self { durable, ..Self::default() }
    }

    pub(super) fn change(&mut self, change: Change) {
        self.pending.push(change);
    }

    /// The number of all changes so far.
    pub(super) fn changes(&self) -> usize {
        self.settled + self.pending.len()
    }

    /// Makes the first `changes` changes durable.
    pub(super) fn settle(&mut self, changes: usize) {
        let new = changes.saturating_sub(self.settled).min(self.pending.len());
        self.pending.drain(..new).for_each(|change| change.apply(&mut self.durable));
        self.settled += new;
    }

    /// The contents that a reader sees as long as there is power.
    pub(super) fn live(&self) -> Arc<[u8]> {
        with(&self.durable, &self.pending)
    }

    /// The contents that a loss of power may leave, from none of the pending changes to all of them.
    pub(super) fn after_loss(&self) -> Vec<Arc<[u8]>> {
        let mut states = Vec::new();
        let step = self.pending.len().div_ceil(EACH).max(1);
        for index in (0..self.pending.len()).step_by(step) {
            let (before, rest) = self.pending.split_at(index);
            states.push(with(&self.durable, before));
            let Some((last, after)) = rest.split_first() else { continue };
            let half: Vec<_> = before.iter().cloned().chain(last.half()).collect();
            states.push(with(&self.durable, &half));
            let all_but_one: Vec<_> = before.iter().chain(after).cloned().collect();
            states.push(with(&self.durable, &all_but_one));
        }
        let hollow: Vec<_> = self.pending.iter().map(Change::hollow).collect();
        states.push(with(&self.durable, &hollow));
        states.push(self.live());
        let mut different: Vec<Arc<[u8]>> = Vec::new();
        for state in states {
            if !different.contains(&state) {
                different.push(state);
            }
        }
        different
    }
}

fn with(durable: &[u8], changes: &[Change]) -> Arc<[u8]> {
    let mut contents = durable.to_vec();
    changes.iter().for_each(|change| change.apply(&mut contents));
    contents.into()
}

fn put(contents: &mut Vec<u8>, offset: usize, data: &[u8]) {
    let end = offset + data.len();
    if contents.len() < end {
        contents.resize(end, 0);
    }
    if let Some(destination) = contents.get_mut(offset..end) {
        destination.copy_from_slice(data);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(offset: u64, data: &[u8]) -> Change {
        Change::Write { offset, data: data.into() }
    }

    #[track_caller]
    fn check(file: &Contents, expected: &[&[u8]]) {
        let states = file.after_loss();
        let found: Vec<&[u8]> = states.iter().map(|state| &**state).collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn pending_changes_may_be_lost_in_every_way() {
        let mut file = Contents::on_disk(b"old".to_vec());
        check(&file, &[b"old"]);
        file.change(Change::Resize(0));
        check(&file, &[b"old", b""]);
        file.change(write(0, b"ab"));
        check(&file, &[b"old", b"abd", b"", b"a", b"\0\0", b"ab"]);
        file.settle(1);
        check(&file, &[b"", b"a", b"\0\0", b"ab"]);
        file.settle(2);
        check(&file, &[b"ab"]);
        assert_eq!(&*file.live(), b"ab");
    }

    #[test]
    fn settling_counts_changes_once() {
        let mut file = Contents::default();
        file.change(write(0, b"a"));
        let first = file.changes();
        file.change(write(1, b"b"));
        file.settle(first);
        file.settle(first);
        check(&file, &[b"a", b"a\0", b"ab"]);
    }
}
