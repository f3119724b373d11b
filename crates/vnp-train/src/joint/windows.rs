//! Draws windows from the training records.

use std::collections::BTreeMap;

use vnp_seq::{Orf, find_orfs};

use crate::data::record::LabelledRecord;
use crate::error::Error;
use crate::joint::augment::mutate;
use crate::joint::data::JointData;
use crate::rng::Rng;
use crate::split::Split;

/// Windows tried for one that has an ORF; about half of all have.
const TRIES: usize = 200;

/// The training records of both classes, in groups.
pub(super) struct Windows<'a> {
    others: Class<'a>,
    viruses: Class<'a>,
    is_usable: &'a (dyn Fn(&[u8]) -> bool + Sync),
}

/// The groups of a class with the running sums of their weights.
struct Class<'a> {
    groups: Vec<(f64, Group<'a>)>,
}

/// The records of a group with the running sums of their lengths.
type Group<'a> = Vec<(f64, &'a LabelledRecord)>;

impl<'a> Windows<'a> {
    /// `length` is that of the longest window: shorter records are left out.
    pub(super) fn new(data: JointData<'a>, power: f64, length: usize) -> Result<Self, Error> {
        let JointData { records, groups, splits, is_usable, .. } = data;
        let class = |is_virus: bool| {
            let mut by_group: BTreeMap<usize, Group<'a>> = BTreeMap::new();
            for (record, group) in records.iter().zip(groups) {
                let trains = splits.get(*group) == Some(&Split::Training);
                if trains && record.is_virus == is_virus && record.sequence.len() >= length {
                    let members = by_group.entry(*group).or_default();
                    let before = members.last().map_or(0.0, |(sum, _)| *sum);
                    members.push((before + record.sequence.len() as f64, record));
                }
            }
            let mut sum = 0.0;
            let weighed = by_group.into_values().map(|members| {
                sum += members.last().map_or(0.0, |(bases, _)| bases.powf(power));
                (sum, members)
            });
            let groups: Vec<_> = weighed.collect();
            let class = if is_virus { "viral" } else { "other" };
            if groups.is_empty() {
                return Err(Error::NoRows { split: Split::Training, class });
            }
            Ok(Class { groups })
        };
        Ok(Self { others: class(false)?, viruses: class(true)?, is_usable })
    }

    /// The ORFs of a window of one class, at least one; `None` where no such window
    /// was found.
    pub(super) fn draw(
        &self,
        is_virus: bool,
        length: usize,
        mutation: f64,
        rng: &mut Rng,
    ) -> Option<Vec<Orf>> {
        let class = if is_virus { &self.viruses } else { &self.others };
        (0..TRIES).find_map(|_| {
            let group = rng.pick(&class.groups)?;
            let record = rng.pick(group)?;
            let start = rng.below(record.sequence.len() - length + 1);
            let window = record.sequence.get(start..start + length)?;
            if !window.iter().all(|letter| b"ACGT".contains(letter)) {
                return None;
            }
            let mut frames = find_orfs(&mutate(window, mutation, rng));
            if let Some(coding) = &record.coding {
                frames.retain(|frame| coding.confirms(&frame.protein));
            }
            (!frames.is_empty() && (self.is_usable)(window)).then_some(frames)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(is_virus: bool, sequence: &str) -> LabelledRecord {
        LabelledRecord { is_virus, sequence: sequence.into(), ..LabelledRecord::default() }
    }

    #[test]
    fn windows_are_of_their_class_and_of_training_records() {
        let records = [
            record(true, &"GCA".repeat(100)),
            record(false, &"GGT".repeat(100)),
            record(true, &"ACC".repeat(100)),
            record(false, "GGA"),
        ];
        let splits = [Split::Training, Split::Training, Split::Validation, Split::Training];
        let groups = [0, 1, 2, 3];
        // Of the viral record, windows that begin with its first codon alone.
        let is_usable = |window: &[u8]| !window.contains(&b'A') || window.starts_with(b"GCA");
        let data = JointData {
            records: &records,
            groups: &groups,
            splits: &splits,
            is_usable: &is_usable,
            validation: &[],
        };
        let windows = Windows::new(data, 0.5, 60).unwrap();
        let mut rng = Rng::new(1, "test");
        for _ in 0..50 {
            let letters = |virus, rng: &mut Rng| {
                let frames = windows.draw(virus, 60, 0.0, rng).unwrap();
                let first = frames.into_iter().find(|frame| !frame.frame.is_reverse()).unwrap();
                assert!(!virus || first.nucleotide.starts_with("GCA"));
                first.nucleotide.chars().collect::<std::collections::BTreeSet<char>>()
            };
            assert!(!letters(true, &mut rng).contains(&'T'));
            assert!(!letters(false, &mut rng).contains(&'C'));
        }
    }

    #[test]
    fn a_class_without_records_is_an_error() {
        let records = [record(true, &"GCA".repeat(100))];
        let data = JointData {
            records: &records,
            groups: &[0],
            splits: &[Split::Training],
            is_usable: &|_| true,
            validation: &[],
        };
        let Err(Error::NoRows { class, .. }) = Windows::new(data, 0.5, 60) else { panic!() };
        assert_eq!(class, "other");
    }
}
