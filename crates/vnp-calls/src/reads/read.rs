//! What is known of a read, or of a pair: the best alignment, and the calls of all of them.

use std::cmp::Ordering;

use serde::{Deserialize, Serialize};

use crate::keyed::Merge;

/// The reads of one key, and what the alignments so far say: one read, or the mates of a pair.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Reads {
    pub(crate) reads: Vec<Read>,
}

/// A read with its best alignment.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Read {
    /// The id, as it stands in the file.
    #[serde(with = "serde_bytes")]
    pub(crate) id: Vec<u8>,
    pub(crate) best: Best,
    /// The call of the first alignment.
    call: u32,
    /// Whether another alignment has another call.
    has_several_calls: bool,
}

/// The best alignment of a read, as its row needs it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Best {
    mapq: u64,
    identity: f64,
    /// The columns from the read's length to `mapped_well`.
    #[serde(with = "serde_bytes")]
    pub(crate) columns: Vec<u8>,
    /// The call of the contig.
    pub(crate) call: u32,
    /// The tier of the contig's call.
    #[serde(with = "serde_bytes")]
    pub(crate) tier: Vec<u8>,
    /// A tab, and the columns after the tier.
    #[serde(with = "serde_bytes")]
    pub(crate) rest: Vec<u8>,
}

/// Which of the mates of a pair a read is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Mate {
    First,
    Second,
    /// Its id does not say.
    Unknown,
}

/// The id without `/1` or `/2`, and the mate.
pub(crate) fn mate(id: &[u8]) -> (&[u8], Mate) {
    match id {
        [bare @ .., b'/', b'1'] if !bare.is_empty() => (bare, Mate::First),
        [bare @ .., b'/', b'2'] if !bare.is_empty() => (bare, Mate::Second),
        _ => (id, Mate::Unknown),
    }
}

impl Reads {
    /// Adds an alignment of a read: its mapping quality, its identity, the call of its contig, and what
    /// makes the rest, if it is the best so far.
    pub(crate) fn add(
        &mut self,
        id: &[u8],
        (mapq, identity, call): (u64, f64, u32),
        best: impl FnOnce() -> (Vec<u8>, Vec<u8>, Vec<u8>),
    ) {
        let best = || {
            let (columns, tier, rest) = best();
            Best { mapq, identity, columns, call, tier, rest }
        };
        let Some(read) = self.reads.iter_mut().find(|read| read.id == id) else {
            let (id, best) = (id.to_vec(), best());
            return self.reads.push(Read { id, best, call, has_several_calls: false });
        };
        read.has_several_calls |= read.call != call;
        if is_better((mapq, identity), (read.best.mapq, read.best.identity)) {
            read.best = best();
        }
    }

    /// The read of the best alignment; among equals, the first mate.
    pub(crate) fn best(&self) -> Option<&Read> {
        let rank = |read: &Read| (read.best.mapq, read.best.identity, mate(&read.id).1);
        self.reads.iter().reduce(|best, read| {
            let ((mapq, identity, mate), (best_mapq, best_identity, best_mate)) =
                (rank(read), rank(best));
            let better = is_better((mapq, identity), (best_mapq, best_identity));
            // Both ways of writing zero are equal.
            let equal =
                (mapq, identity).partial_cmp(&(best_mapq, best_identity)) == Some(Ordering::Equal);
            if better || (equal && mate < best_mate) { read } else { best }
        })
    }
}

impl Read {
    /// The call that all alignments have; none if they have several.
    pub(crate) fn call(&self) -> Option<u32> {
        (!self.has_several_calls).then_some(self.call)
    }
}

/// Whether an alignment is better than an earlier one.
fn is_better((mapq, identity): (u64, f64), (best_mapq, best_identity): (u64, f64)) -> bool {
    (mapq, identity) > (best_mapq, best_identity)
}

impl Merge for Reads {
    fn merge(&mut self, later: Self) {
        for later in later.reads {
            let Some(read) = self.reads.iter_mut().find(|read| read.id == later.id) else {
                self.reads.push(later);
                continue;
            };
            read.has_several_calls |= later.has_several_calls || read.call != later.call;
            let (old, new) = (&read.best, &later.best);
            if is_better((new.mapq, new.identity), (old.mapq, old.identity)) {
                read.best = later.best;
            }
        }
    }
}
