//! Groups of related records, and their split into parts or folds.

pub(crate) mod sets;
mod split;

use std::collections::{BTreeMap, HashMap, HashSet};

use crate::records::{Class, LabelledRecord};
use crate::words;
use sets::Sets;
pub use split::Shares;

/// The share of the shorter record's words from which on two records count as relatives. Below it
/// lie the genes that all of life shares (ribosomal RNA links any two bacteria); single chunks that
/// share one are left out, see [`SharedWords`](crate::SharedWords).
pub const RELATED: f64 = 0.05;

/// What is to be grouped: a record, or what embeddings are known to be of.
#[derive(Debug, Clone, Copy)]
pub struct Member<'a> {
    /// Its id.
    pub id: &'a str,
    /// Its label.
    pub is_virus: bool,
    /// Names that it shares with its relatives.
    pub names: &'a [String],
    /// The kind of organism; empty where unknown.
    pub kind: &'a str,
    /// How much it counts: bases or rows.
    pub size: usize,
}

/// Members in groups of relatives, which are never parted.
#[derive(Debug, Clone, Default)]
pub struct Groups {
    of_member: Vec<usize>,
    groups: Vec<Relatives>,
}

/// One group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Relatives {
    /// A name that was given for it, or else the id of its first member; no two groups have one name.
    pub name: String,
    /// The kind of organism with most of its size.
    pub kind: String,
    /// The class with most of its size.
    pub is_virus: bool,
    /// Whether it holds members of both classes, as prophages and their hosts are.
    pub in_both_classes: bool,
    /// The sizes of its members together.
    pub size: usize,
}

impl<'a> From<&'a LabelledRecord> for Member<'a> {
    fn from(record: &'a LabelledRecord) -> Self {
        let LabelledRecord { id, is_virus, names, kind, sequence, .. } = record;
        Self { id, is_virus: *is_virus, names, kind, size: sequence.len() }
    }
}

impl Groups {
    /// Groups records: those belong together that share a name, or at least [`RELATED`] of the
    /// shorter one's words.
    ///
    /// ```
    /// use vnp_train::{Groups, LabelledRecord};
    ///
    /// let record = |id: &str, names: &[&str]| LabelledRecord {
    ///     id: id.to_owned(),
    ///     names: names.iter().map(|name| name.to_string()).collect(),
    ///     ..LabelledRecord::default()
    /// };
    /// let records = [record("a", &["x"]), record("b", &[]), record("c", &["y", "x"])];
    /// let groups = Groups::of_records(&records);
    /// assert_eq!(groups.of_member(), [0, 1, 0]);
    /// ```
    #[must_use]
    pub fn of_records(records: &[LabelledRecord]) -> Self {
        let members: Vec<Member<'_>> = records.iter().map(Member::from).collect();
        let sequences: Vec<&[u8]> = records.iter().map(|r| r.sequence.as_slice()).collect();
        let mut sets = Sets::new(records.len());
        // Names first: what they join need not be compared.
        join_names(&members, &mut sets);
        words::join_relatives(&sequences, RELATED, &mut sets);
        Self::new(&members, &mut sets)
    }

    /// Groups what has no sequences, by names alone.
    #[must_use]
    pub fn of_members(members: &[Member<'_>]) -> Self {
        let mut sets = Sets::new(members.len());
        join_names(members, &mut sets);
        Self::new(members, &mut sets)
    }

    fn new(members: &[Member<'_>], sets: &mut Sets) -> Self {
        let (of_member, count) = sets.numbered();
        let mut tallies = vec![Tally::default(); count];
        for (member, group) in members.iter().zip(&of_member) {
            if let Some(tally) = tallies.get_mut(*group) {
                tally.add(member);
            }
        }
        let mut taken = HashSet::new();
        let groups = tallies.into_iter().map(|tally| tally.relatives(&mut taken)).collect();
        Self { of_member, groups }
    }

    /// The group of every member.
    #[must_use]
    pub fn of_member(&self) -> &[usize] {
        &self.of_member
    }

    /// The groups.
    #[must_use]
    pub fn groups(&self) -> &[Relatives] {
        &self.groups
    }
}

fn join_names(members: &[Member<'_>], sets: &mut Sets) {
    let mut by_name: HashMap<&str, usize> = HashMap::new();
    for (i, member) in members.iter().enumerate() {
        for name in member.names {
            let first = *by_name.entry(name).or_insert(i);
            sets.join(first, i);
        }
    }
}

#[derive(Debug, Clone, Default)]
struct Tally<'a> {
    id: Option<&'a str>,
    name: Option<&'a str>,
    kinds: BTreeMap<&'a str, usize>,
    viral: usize,
    size: usize,
    classes: HashSet<Class>,
}

impl<'a> Tally<'a> {
    fn add(&mut self, member: &Member<'a>) {
        self.id.get_or_insert(member.id);
        if let Some(name) = member.names.first() {
            self.name.get_or_insert(name);
        }
        *self.kinds.entry(member.kind).or_insert(0) += member.size;
        self.viral += if member.is_virus { member.size } else { 0 };
        self.size += member.size;
        self.classes.insert(Class::of(member.is_virus));
    }

    fn relatives(self, taken: &mut HashSet<String>) -> Relatives {
        let wanted = self.name.or(self.id).unwrap_or_default();
        let numbered = (2..).map(|number| format!("{wanted} ({number})"));
        let mut names = std::iter::once(wanted.to_owned()).chain(numbered);
        let name = names.find(|name| taken.insert(name.clone())).unwrap_or_default();
        let kind = self.kinds.iter().max_by_key(|(_, size)| **size).map(|(kind, _)| *kind);
        Relatives {
            name,
            kind: kind.unwrap_or_default().to_owned(),
            is_virus: match self.classes.len() {
                1 => self.classes.contains(&Class::Virus),
                _ => 2 * self.viral > self.size,
            },
            in_both_classes: self.classes.len() > 1,
            size: self.size,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{random_bases, record};

    #[test]
    fn records_join_by_name_and_by_words() {
        let shared = random_bases(1, 300);
        let records = [
            record("1", true, &["a"], &random_bases(2, 300)),
            record("2", true, &[], &shared),
            record("3", false, &["c"], &[random_bases(3, 200), shared[..60].to_vec()].concat()),
            record("4", false, &["4"], &random_bases(4, 300)),
            record("5", true, &["e", "a"], &random_bases(5, 300)),
            record("c", true, &[], b""),
        ];
        let groups = Groups::of_records(&records);
        assert_eq!(groups.of_member(), [0, 1, 1, 2, 0, 3]);
        let names: Vec<_> = groups.groups().iter().map(|group| group.name.as_str()).collect();
        assert_eq!(names, ["a", "c", "4", "c (2)"]);
        let both = &groups.groups()[1];
        assert!(both.in_both_classes && both.is_virus && both.size == 560);
    }
}
