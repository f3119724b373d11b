//! What reading one file may cost: memory and work are charged before they are spent.
//!
//! A few bytes of a pickle or a header can mean a thousand times their length, by reference or by the
//! room that a value takes in memory. Sizes that the file must have bytes for need no budget.

use std::cell::Cell;

use crate::error::kind::ErrorKind;
use crate::limits::{self, Limits};
use crate::value::Value;

/// How often its longest encoded form the values of a header may take, and what they may take at least.
const HEADER_FACTOR: u64 = 4;
const HEADER_FLOOR: u64 = 1 << 20;

/// What any file may take for everything else: the values of a pickle, ids, elements that are repeated;
/// and as often its own length.
const PARTS_FLOOR: u64 = 48 << 20;
const PARTS_FACTOR: u64 = 8;

/// The same for work, in units.
const WORK_FLOOR: u64 = 1 << 28;
const WORK_FACTOR: u64 = 16;

/// What a value takes in a list, which is copied as it grows.
const VALUE_BYTES: u64 = size_of::<Value>() as u64 * 3 / 2;

/// What a map takes that is not empty, how many entries that is, and what each further entry takes
/// with its value where the map is half full.
const MAP_BYTES: u64 = 560;
const MAP_ENTRIES: usize = 11;
const ENTRY_BYTES: u64 = 96;

/// The budget of one file.
#[derive(Debug)]
pub(crate) struct Budget {
    memory_limit: u64,
    header: Pool,
    parts: Pool,
    work: Pool,
}

/// How much may be spent, and how much was.
#[derive(Debug)]
struct Pool {
    allowed: u64,
    spent: Cell<u64>,
}

impl Budget {
    /// The budget of a file of this length.
    pub(crate) fn new(limits: &Limits, file_bytes: u64) -> Self {
        let of_file =
            |floor: u64, factor: u64| floor.saturating_add(file_bytes.saturating_mul(factor));
        let memory = limits.memory_bytes;
        Self {
            memory_limit: memory,
            header: Pool::new(
                limits.header_bytes.saturating_mul(HEADER_FACTOR).max(HEADER_FLOOR).min(memory),
            ),
            parts: Pool::new(of_file(PARTS_FLOOR, PARTS_FACTOR).min(memory)),
            work: Pool::new(of_file(WORK_FLOOR, WORK_FACTOR).min(limits.work_units)),
        }
    }

    /// How much more than its own bytes a file may mean by repetition, in bytes.
    pub(crate) fn repetition(&self) -> u64 {
        self.parts.allowed
    }

    /// Charges bytes that are about to be allocated.
    pub(crate) fn memory(&self, bytes: impl TryInto<u64>) -> Result<(), ErrorKind> {
        self.parts.take("memory_bytes", bytes)?;
        self.both()
    }

    /// Charges work: a unit is a byte that is compared, checked or copied, about a nanosecond.
    pub(crate) fn work(&self, units: impl TryInto<u64>) -> Result<(), ErrorKind> {
        self.work.take("work_units", units)
    }

    /// Charges the places of values in a list of a header.
    pub(crate) fn values(&self, count: u64) -> Result<(), ErrorKind> {
        self.header(count.saturating_mul(VALUE_BYTES))
    }

    /// Charges the bytes of a text in a header.
    pub(crate) fn text(&self, length: usize) -> Result<(), ErrorKind> {
        self.header(allocated(length))
    }

    /// Charges another entry of a map in a header that has this many.
    pub(crate) fn entry(&self, before: usize) -> Result<(), ErrorKind> {
        match before {
            0 => self.header(MAP_BYTES),
            1..MAP_ENTRIES => Ok(()),
            _ => self.header(ENTRY_BYTES),
        }
    }

    fn header(&self, bytes: u64) -> Result<(), ErrorKind> {
        self.header.take("memory_bytes", bytes)?;
        self.both()
    }

    /// The limit that was set holds for both kinds of memory together.
    fn both(&self) -> Result<(), ErrorKind> {
        let spent = self.header.spent.get().saturating_add(self.parts.spent.get());
        limits::check("memory_bytes", self.memory_limit, spent)
    }
}

impl Pool {
    fn new(allowed: u64) -> Self {
        Self { allowed, spent: Cell::new(0) }
    }

    fn take(&self, limit: &'static str, amount: impl TryInto<u64>) -> Result<(), ErrorKind> {
        let spent = self.spent.get().saturating_add(amount.try_into().unwrap_or(u64::MAX));
        limits::check(limit, self.allowed, spent)?;
        self.spent.set(spent);
        Ok(())
    }
}

/// What an allocation of this length takes.
pub(crate) fn allocated(length: usize) -> u64 {
    match length as u64 {
        0 => 0,
        length => length.saturating_add(23).max(32) / 16 * 16,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_may_mean_what_their_length_allows() {
        let budget = Budget::new(&Limits::default(), 1000);
        assert!(budget.memory(PARTS_FLOOR + 8000).is_ok());
        let Err(ErrorKind::LimitExceeded { limit: "memory_bytes", allowed, found }) =
            budget.memory(1_u64)
        else {
            panic!("more than allowed")
        };
        assert_eq!((allowed, found), (PARTS_FLOOR + 8000, PARTS_FLOOR + 8001));
        assert!(budget.text(1 << 20).is_ok(), "the header has a budget of its own");
        assert!(budget.work(WORK_FLOOR).is_ok() && budget.work(WORK_FLOOR).is_err());
    }

    #[test]
    fn a_lower_limit_holds_for_all_memory_together() {
        let limits = Limits { memory_bytes: 100, work_units: 5, ..Limits::default() };
        let budget = Budget::new(&limits, 1 << 30);
        assert!(budget.memory(60_u64).is_ok());
        assert!(budget.text(50).is_err());
        assert!(budget.work(5_u64).is_ok() && budget.work(1_u64).is_err());
    }
}
