//! Records whose id an earlier record of the same file has, and what is to be done about them.

pub(crate) mod finder;

use std::fmt;

use vnp_escape::{escaped, shown};

/// Duplicates that a message names.
const NAMED: usize = 3;

/// What to do about records whose id an earlier record of the same file has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DuplicateIds {
    /// Warn, and use the ids as they are.
    #[default]
    Warn,
    /// Refuse the input before anything is computed.
    Refuse,
    /// Warn, and append `.2`, `.3` and so on to the later ids in the tables, except where another
    /// record of the file has that id already. Parts and FASTA keep the ids of the input.
    Number,
}

/// The records whose id an earlier record of the same file has.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Duplicates {
    /// How many there are.
    pub records: u64,
    /// The first of them, in the order of the input.
    pub first: Vec<Duplicate>,
}

/// A record whose id an earlier record of the same file has.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Duplicate {
    /// 0-based number of the file among the inputs.
    pub input: usize,
    /// The name of that file.
    pub file: String,
    /// Number of the record in that file, counted from 1.
    pub record: u64,
    /// The id as messages show it.
    pub id: String,
}

impl Duplicates {
    pub(crate) fn add(&mut self, duplicate: Duplicate) {
        self.records += 1;
        let at = self.first.partition_point(|first| *first < duplicate);
        if at < NAMED {
            self.first.insert(at, duplicate);
            self.first.truncate(NAMED);
        }
    }
}

/// The number, and the first of them: what a message says about duplicates.
impl fmt::Display for Duplicates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { records, first } = self;
        let (noun, verb) = if *records == 1 { ("record", "has") } else { ("records", "have") };
        write!(f, "{records} {noun} {verb} the id of an earlier record of the same file (")?;
        for (index, Duplicate { file, record, id, .. }) in first.iter().enumerate() {
            let comma = if index > 0 { ", " } else { "" };
            let (id, file) = (shown(id), escaped(file));
            write!(f, "{comma}\"{id}\" in record {record} of {file}")?;
        }
        f.write_str(if *records > first.len() as u64 { ", …)" } else { ")" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_names_record_and_input() {
        let duplicate = |input: usize, record, id: &str| {
            let (file, id) = (format!("{}.fa", ["x", "y"][usize::from(input > 0)]), id.to_owned());
            Duplicate { input, file, record, id }
        };
        let mut found = Duplicates::default();
        for one in [duplicate(1, 5, "b"), duplicate(0, 9, "a"), duplicate(0, 2, "c")] {
            found.add(one);
        }
        assert_eq!(
            found.to_string(),
            "3 records have the id of an earlier record of the same file (\"c\" in record 2 of \
             x.fa, \"a\" in record 9 of x.fa, \"b\" in record 5 of y.fa)"
        );
        found.add(duplicate(0, 1, "d"));
        assert!(found.to_string().ends_with("\"a\" in record 9 of x.fa, …)"), "{found}");
    }
}
