//! Groups of related records.

mod assign;
mod similarity;

use std::collections::{BTreeMap, HashMap, HashSet};

use crate::data::class::Class;
use crate::data::examples::Group;
use crate::data::record::LabelledRecord;
use crate::data::sets::Sets;
use crate::split::Split;

/// An item to group: a record, or the record that embeddings come from.
#[derive(Debug, Clone, Copy)]
pub struct Member<'a> {
    /// The id.
    pub id: &'a str,
    /// Whether it is a virus.
    pub is_virus: bool,
    /// The names that it shares with its relatives.
    pub names: &'a [String],
    /// The kind of organism; empty where unknown.
    pub kind: &'a str,
    /// Its size in bases or rows.
    pub size: usize,
}

/// Members in groups of relatives; a group is never divided between splits.
#[derive(Debug, Clone, Default)]
pub struct Groups {
    of_member: Vec<usize>,
    groups: Vec<Relatives>,
}

/// One group of relatives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Relatives {
    /// The name given for it, or else the id of its first member; unique among groups.
    pub name: String,
    /// The kind of organism that most of its size belongs to.
    pub kind: String,
    /// Whether most of its size is viral.
    pub is_virus: bool,
    /// Whether it holds members of both classes, as prophages and their hosts are.
    pub in_both_classes: bool,
    /// The total size of its members.
    pub size: usize,
}

impl<'a> From<&'a LabelledRecord> for Member<'a> {
    fn from(record: &'a LabelledRecord) -> Self {
        let LabelledRecord { id, is_virus, names, kind, sequence, .. } = record;
        Self { id, is_virus: *is_virus, names, kind, size: sequence.len() }
    }
}

impl Groups {
    /// The share of the shorter record's k-mers from which on two records count as relatives. Below
    /// it lie the genes that all of life shares (ribosomal RNA links any two bacteria); single chunks
    /// that share one are left out, see [`SharedKmers`](crate::SharedKmers).
    pub const RELATED: f64 = 0.05;

    /// Groups records: relatives share a name, or at least [`Groups::RELATED`] of
    /// the shorter one's k-mers.
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
        // Names first: records that they join need not be compared.
        join_names(&members, &mut sets);
        similarity::join_relatives(&sequences, Self::RELATED, &mut sets);
        Self::new(&members, &mut sets)
    }

    /// Groups members without sequences, by names alone.
    #[must_use]
    pub fn of_members(members: &[Member<'_>]) -> Self {
        let mut sets = Sets::new(members.len());
        join_names(members, &mut sets);
        Self::new(members, &mut sets)
    }

    fn new(members: &[Member<'_>], sets: &mut Sets) -> Self {
        let (of_member, count) = sets.numbered();
        let mut tallies: Vec<Tally<'_>> = Vec::with_capacity(count);
        for (member, group) in members.iter().zip(&of_member) {
            // Groups are numbered by their first member.
            match tallies.get_mut(*group) {
                Some(tally) => tally.add(member),
                None => tallies.push(Tally::of(member)),
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

    /// The groups as [`Examples`](crate::Examples) have them; `splits` has one for each group.
    #[must_use]
    pub fn with_splits(&self, splits: &[Split]) -> Vec<Group> {
        debug_assert_eq!(splits.len(), self.groups.len());
        let group = |(group, split): (&Relatives, &Split)| Group {
            name: group.name.clone(),
            kind: group.kind.clone(),
            split: *split,
        };
        self.groups.iter().zip(splits).map(group).collect()
    }

    /// The split of every member; `splits` has one for each group.
    #[expect(clippy::indexing_slicing, reason = "groups of members are below their number")]
    pub(crate) fn split_of_members(&self, splits: &[Split]) -> Vec<Split> {
        debug_assert_eq!(splits.len(), self.groups.len());
        self.of_member.iter().map(|group| splits[*group]).collect()
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

/// What the members of a group say of it.
struct Tally<'a> {
    id: &'a str,
    name: Option<&'a str>,
    /// The size of each kind.
    kinds: BTreeMap<&'a str, usize>,
    viral: usize,
    size: usize,
    classes: HashSet<Class>,
}

impl<'a> Tally<'a> {
    /// The tally of a group with its first member.
    fn of(member: &Member<'a>) -> Self {
        let (kinds, classes) = (BTreeMap::new(), HashSet::new());
        let mut tally = Self { id: member.id, name: None, kinds, viral: 0, size: 0, classes };
        tally.add(member);
        tally
    }

    fn add(&mut self, member: &Member<'a>) {
        if let Some(name) = member.names.first() {
            self.name.get_or_insert(name);
        }
        *self.kinds.entry(member.kind).or_insert(0) += member.size;
        self.viral += if member.is_virus { member.size } else { 0 };
        self.size += member.size;
        self.classes.insert(Class::of(member.is_virus));
    }

    fn relatives(self, taken: &mut HashSet<String>) -> Relatives {
        let wanted = self.name.unwrap_or(self.id);
        let (mut name, mut number) = (wanted.to_owned(), 1);
        while !taken.insert(name.clone()) {
            number += 1;
            name = format!("{wanted} ({number})");
        }
        let kind = self.kinds.iter().max_by_key(|(_, size)| **size).map_or("", |(kind, _)| kind);
        Relatives {
            name,
            kind: kind.to_owned(),
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
