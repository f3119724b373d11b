//! The calls of contigs, read from a table by the names of its columns and held in memory.

use std::collections::HashMap;
use std::path::Path;

use vnp_escape::{shown, shown_bytes};

use super::lines::Lines;
use crate::error::Error;
use crate::pattern::GroupPattern;
use crate::table::CONTIG_COLUMNS;

/// The call of a contig that has none.
const UNCLASSIFIED: &[u8] = b"Unclassified";
/// The columns after the call of such a contig.
const UNCLASSIFIED_REST: &[u8] = b"\t0.0\t0\t0\t0\t0\t0.0\t0.0";
/// What a message lists at most.
const NAMED: usize = 10;

/// The calls of contigs.
#[derive(Debug)]
pub(crate) struct Contigs {
    /// Texts of calls, each once; the first is that of contigs without a call.
    calls: Vec<Vec<u8>>,
    /// Rows by contig, or by group.
    rows: HashMap<Vec<u8>, ContigRow>,
    pattern: Option<GroupPattern>,
    /// Rows whose id does not match the pattern: no alignment finds them.
    pub(crate) unmatched: u64,
}

/// A row of the table. Its texts are passed on as they are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ContigRow {
    /// The index of the call's text.
    pub(crate) call: u32,
    /// The tier, a tab, and the other columns.
    pub(crate) tier_and_rest: Vec<u8>,
}

/// What a table says about a contig.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Found<'a> {
    /// Its row.
    Row(&'a ContigRow),
    /// It has no row.
    Absent,
    /// Its id does not match the pattern.
    Unmatched,
}

impl Contigs {
    /// Reads a table, plain or compressed.
    pub(crate) fn read(path: &Path, pattern: Option<GroupPattern>) -> Result<Self, Error> {
        let mut lines = Lines::open(path, path)?;
        let columns = match lines.next()? {
            Some(header) => Columns::of(header),
            None => Err("it is empty, without a header: give the contig_calls.tsv of a run".into()),
        };
        let columns = columns.map_err(|reason| Error::Format { path: path.to_owned(), reason })?;
        let mut contigs = Self {
            calls: vec![UNCLASSIFIED.to_vec()],
            rows: HashMap::new(),
            pattern,
            unmatched: 0,
        };
        while lines.next()?.is_some() {
            let added = columns.split(lines.current()).and_then(|fields| contigs.add(&fields));
            added.map_err(|reason| lines.error(reason))?;
        }
        Ok(contigs)
    }

    /// Adds a row, whose fields have the order of [`CONTIG_COLUMNS`].
    fn add(&mut self, fields: &[&[u8]]) -> Result<(), String> {
        let [id, call, tier, rest @ ..] = fields else { return Err("too few columns".into()) };
        let key = match &self.pattern {
            None => id,
            Some(pattern) => match pattern.group(id) {
                Some(group) => group,
                None => {
                    self.unmatched += 1;
                    return Ok(());
                }
            },
        };
        let known = self.calls.iter().position(|known| known == call);
        let index = known.unwrap_or_else(|| {
            self.calls.push(call.to_vec());
            self.calls.len() - 1
        });
        let call = u32::try_from(index).map_err(|_| "too many different calls".to_owned())?;
        let mut tier_and_rest = tier.to_vec();
        for field in rest {
            tier_and_rest.push(b'\t');
            tier_and_rest.extend_from_slice(field);
        }
        let row = ContigRow { call, tier_and_rest };
        if self.rows.insert(key.to_vec(), row).is_some() {
            let what = if self.pattern.is_some() { "group" } else { "contig" };
            return Err(format!(
                "the {what} \"{}\" has a call on an earlier line: a read of it could have either; give a table in which each has one row",
                shown_bytes(key)
            ));
        }
        Ok(())
    }

    /// The number of rows that alignments can find.
    pub(crate) fn len(&self) -> usize {
        self.rows.len()
    }

    /// What is known about a contig.
    pub(crate) fn find(&self, contig: &[u8]) -> Found<'_> {
        let key = match &self.pattern {
            None => contig,
            Some(pattern) => match pattern.group(contig) {
                Some(group) => group,
                None => return Found::Unmatched,
            },
        };
        self.rows.get(key).map_or(Found::Absent, Found::Row)
    }

    /// The text of a call.
    pub(crate) fn call(&self, call: u32) -> &[u8] {
        let call = usize::try_from(call).ok().and_then(|call| self.calls.get(call));
        call.map_or(UNCLASSIFIED, Vec::as_slice)
    }
}

impl<'a> Found<'a> {
    /// The index of the call's text.
    pub(crate) fn call(self) -> u32 {
        match self {
            Self::Row(row) => row.call,
            Self::Absent | Self::Unmatched => 0,
        }
    }

    /// The tier, and a tab with what follows.
    pub(crate) fn tier_and_rest(self) -> (&'a [u8], &'a [u8]) {
        let Self::Row(row) = self else { return (b"", UNCLASSIFIED_REST) };
        let tab = row.tier_and_rest.iter().position(|byte| *byte == b'\t');
        row.tier_and_rest.split_at(tab.unwrap_or(row.tier_and_rest.len()))
    }
}

/// Where the columns stand in a table.
#[derive(Debug)]
struct Columns {
    /// The index of each of [`CONTIG_COLUMNS`].
    indices: Vec<usize>,
    /// How many columns the table has.
    count: usize,
}

impl Columns {
    fn of(header: &[u8]) -> Result<Self, String> {
        let names: Vec<&[u8]> = header.split(|byte| *byte == b'\t').collect();
        let found = CONTIG_COLUMNS
            .map(|column| (column, names.iter().position(|name| *name == column.as_bytes())));
        let missing: Vec<&str> =
            found.iter().filter(|(_, index)| index.is_none()).map(|(name, _)| *name).collect();
        if missing.is_empty() {
            let indices = found.iter().filter_map(|(_, index)| *index).collect();
            return Ok(Self { indices, count: names.len() });
        }
        let names: Vec<String> = names
            .iter()
            .take(NAMED)
            .map(|name| String::from_utf8_lossy(name).into_owned())
            .collect();
        Err(format!(
            "it has no column {} (its first line is {}): give the contig_calls.tsv that vnp predict --calls broad writes",
            missing.join(", "),
            shown(names.join(" "))
        ))
    }

    /// The fields of a line in the order of [`CONTIG_COLUMNS`].
    fn split<'a>(&self, line: &'a [u8]) -> Result<Vec<&'a [u8]>, String> {
        let all: Vec<&[u8]> = line.split(|byte| *byte == b'\t').collect();
        if all.len() != self.count {
            return Err(format!(
                "it has {} columns, and the header {}: the table is damaged, write it again",
                all.len(),
                self.count
            ));
        }
        Ok(self.indices.iter().filter_map(|index| all.get(*index)).copied().collect())
    }
}
