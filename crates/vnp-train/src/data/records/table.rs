//! Tables of labels and groups.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use vnp_escape::{escaped_path, shown};

use crate::error::Error;

/// The words that stand for a class.
const VIRUS: [&str; 4] = ["virus", "viral", "1", "true"];
const OTHERS: [&str; 8] =
    ["others", "other", "host", "nonviral", "non-viral", "cellular", "0", "false"];

/// A table of records, by id.
#[derive(Debug, Default)]
pub(crate) struct Table {
    pub(crate) path: PathBuf,
    rows: HashMap<String, Entry>,
}

/// One line of a table.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Entry {
    pub(crate) line: usize,
    pub(crate) is_virus: Option<bool>,
    /// The group; empty where the line has none.
    pub(crate) group: String,
    pub(crate) kind: String,
}

impl Table {
    /// Reads a table `id label [group [kind]]`, separated by tabs.
    pub(crate) fn labels(path: &Path) -> Result<Self, Error> {
        Self::read(path, &["id", "label", "group", "kind"], 2)
    }

    /// Reads a table `id group [kind]`, separated by tabs.
    pub(crate) fn groups(path: &Path) -> Result<Self, Error> {
        Self::read(path, &["id", "group", "kind"], 2)
    }

    /// A first line that begins with `id` names the columns; without one they are in this order.
    /// Lines that begin with `#` and empty lines are left out.
    fn read(path: &Path, columns: &[&str], required: usize) -> Result<Self, Error> {
        let text = fs_err::read_to_string(path)?;
        let mut order: Vec<String> = columns.iter().map(|name| (*name).to_owned()).collect();
        let mut table = Self { path: path.to_owned(), rows: HashMap::new() };
        let wrong = |line, expected: String, found: &str| Error::Table {
            path: path.to_owned(),
            line,
            expected,
            found: format!("{found:?}"),
        };
        let mut first = true;
        for (line, text) in (1..).zip(text.lines()) {
            if text.trim().is_empty() || text.starts_with('#') {
                continue;
            }
            let cells: Vec<&str> = text.split('\t').map(str::trim).collect();
            if std::mem::take(&mut first)
                && cells.first().is_some_and(|c| c.eq_ignore_ascii_case("id"))
            {
                order = cells.iter().map(|cell| cell.to_ascii_lowercase()).collect();
                if let Some(missing) =
                    columns.iter().take(required).find(|name| !order.iter().any(|o| o == **name))
                {
                    return Err(wrong(line, format!("a column {missing}"), text));
                }
                continue;
            }
            let cell = |name: &str| {
                let at = order.iter().position(|column| column == name)?;
                cells.get(at).copied().filter(|cell| !cell.is_empty())
            };
            if columns.iter().take(required).any(|name| cell(name).is_none()) {
                let expected = format!("{}, separated by tabs", columns.join(", "));
                return Err(wrong(line, expected, text));
            }
            let is_virus = match (columns.contains(&"label"), cell("label")) {
                (true, Some(label)) => Some(class(label).ok_or_else(|| {
                    let words = "virus (viral, 1) or others (host, nonviral, 0) as label";
                    wrong(line, words.to_owned(), label)
                })?),
                _ => None,
            };
            let own = |name| cell(name).unwrap_or_default().to_owned();
            let entry = Entry { line, is_virus, group: own("group"), kind: own("kind") };
            // A record is known by the first word of its id.
            let id = own("id").split_whitespace().next().unwrap_or_default().to_owned();
            if let Some(before) = table.rows.get(&id) {
                let place = |line| format!("in line {line} of {}", escaped_path(path));
                let (first, second) = (place(before.line), place(line));
                return Err(Error::Twice { what: "record", id, first, second });
            }
            table.rows.insert(id, entry);
        }
        Ok(table)
    }

    /// The line of a record.
    pub(crate) fn get(&self, id: &str) -> Option<&Entry> {
        self.rows.get(id)
    }

    /// Warns of lines without a record: they are mistyped, or a file is missing.
    pub(crate) fn warn_of_unused(&self, is_used: impl Fn(&str) -> bool) {
        let unused = || self.rows.iter().filter(|(id, _)| !is_used(id));
        if let Some((id, entry)) = unused().min_by_key(|(_, entry)| entry.line) {
            log::warn!(
                "{}: no record has the id of {} lines, first {} in line {}",
                escaped_path(&self.path),
                unused().count(),
                shown(id),
                entry.line
            );
        }
    }
}

/// The label that a word stands for.
fn class(word: &str) -> Option<bool> {
    let means = |words: &[&str]| words.iter().any(|known| word.eq_ignore_ascii_case(known));
    match (means(&VIRUS), means(&OTHERS)) {
        (true, _) => Some(true),
        (_, true) => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Table, Error> {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs_err::write(file.path(), text).unwrap();
        Table::labels(file.path())
    }

    #[track_caller]
    fn check(text: &str, id: &str, expected: (Option<bool>, &str, &str)) {
        let table = read(text).unwrap();
        let entry = table.get(id).unwrap();
        assert_eq!((entry.is_virus, entry.group.as_str(), entry.kind.as_str()), expected);
    }

    #[track_caller]
    fn check_error(text: &str, line: usize, expected: &str) {
        let Err(Error::Table { line: found, expected: wanted, .. }) = read(text) else { panic!() };
        assert_eq!(found, line);
        assert!(wanted.contains(expected), "{wanted}");
    }

    #[test]
    fn columns_come_in_order_or_by_name() {
        check("a\tvirus\n", "a", (Some(true), "", ""));
        check("a\tHost\tE. coli\tbacteria\n", "a", (Some(false), "E. coli", "bacteria"));
        check("# a note\n\nID\tkind\tlabel\na\tphage\t1\n", "a", (Some(true), "", "phage"));
        check("a the rest\t0\tg\r\n", "a", (Some(false), "g", ""));
    }

    #[test]
    fn what_is_wrong_is_named_with_its_line() {
        check_error("a\tvirus\nb\tphage\n", 2, "virus (viral, 1)");
        check_error("a\n", 1, "id, label");
        check_error("a\t\tg\n", 1, "id, label");
        check_error("\nid\tgroup\na\tg\n", 2, "a column label");
        let Err(Error::Twice { id, first, second, .. }) = read("a\t1\nb\t1\na\t0\n") else {
            panic!()
        };
        assert_eq!(id, "a");
        assert!(first.starts_with("in line 1 of") && second.starts_with("in line 3 of"));
    }
}
