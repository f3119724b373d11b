//! Assigns groups to splits, and to the folds of a cross-validation.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use crate::data::class::Class;
use crate::data::groups::{Groups, Relatives};
use crate::data::shares::Shares;
use crate::error::Error;
use crate::rng::Rng;
use crate::split::Split;

impl Groups {
    /// Assigns every group to a split: each kind of organism is split by these shares of its size, as well
    /// as the sizes of its groups allow. Kinds with fewer groups than there are splits are pooled.
    /// Groups are taken in a random order, each for the split that is furthest below its share; every split
    /// gets a group of each class.
    ///
    /// # Errors
    /// [`Error::TooFewGroups`] where a class has fewer groups than there are splits,
    /// [`Error::EmptyClass`] where it has none, [`Error::BadSetting`] for impossible shares.
    pub fn split(&self, shares: &Shares, seed: u64) -> Result<Vec<Split>, Error> {
        shares.check()?;
        let needed = shares.splits().count();
        for class in Class::ALL {
            let found = self.of_class(class).count();
            if found == 0 {
                return Err(Error::EmptyClass { class: class.name(), what: "groups" });
            }
            if found < needed {
                return Err(Error::TooFewGroups { class: class.name(), found, needed });
            }
        }
        let mut splits = vec![Split::Training; self.groups.len()];
        for members in self.strata("split", needed, seed) {
            let total: usize = members.iter().map(|(_, group)| group.size).sum();
            let mut taken = BTreeMap::new();
            for (number, group) in members {
                let missing = |split: &Split| {
                    let taken = taken.get(split).copied().unwrap_or(0usize);
                    shares.of(*split) * total as f64 - (taken + group.size) as f64
                };
                let split = shares.splits().max_by(|a, b| missing(a).total_cmp(&missing(b)));
                let split = split.unwrap_or(Split::Training);
                *taken.entry(split).or_insert(0) += group.size;
                set(&mut splits, number, split);
            }
        }
        self.fill(&mut splits, *shares);
        Ok(splits)
    }

    /// Assigns every group to a fold, 0..`count`, for cross-validation: the groups of each kind are spread
    /// over the folds so that these are of similar size.
    #[must_use]
    pub fn folds(&self, count: usize, seed: u64) -> Vec<usize> {
        let count = count.max(1);
        let mut folds = vec![0; self.groups.len()];
        let mut of_class = BTreeMap::new();
        for members in self.strata("folds", 1, seed) {
            let mut of_kind = vec![0; count];
            for (number, group) in members {
                let class = of_class.entry(group.is_virus).or_insert_with(|| vec![0; count]);
                // The smallest fold of this kind; of several, the smallest of the class.
                let sizes = of_kind.iter_mut().zip(class).enumerate();
                let least = sizes.min_by_key(|(fold, (kind, class))| (**kind, **class, *fold));
                let Some((fold, (kind, class))) = least else { continue };
                *kind += group.size;
                *class += group.size;
                set(&mut folds, number, fold);
            }
        }
        folds
    }

    fn of_class(&self, class: Class) -> impl Iterator<Item = (usize, &Relatives)> {
        let groups = self.groups.iter().enumerate();
        groups.filter(move |(_, group)| Class::of(group.is_virus) == class)
    }

    /// The groups of each class and kind in a random order, large ones first, because they fit into few
    /// places. Kinds with fewer groups than `least` are pooled, last.
    fn strata(&self, purpose: &str, least: usize, seed: u64) -> Vec<Vec<(usize, &Relatives)>> {
        let mut strata = Vec::new();
        for class in Class::ALL {
            let mut kinds: BTreeMap<&str, Vec<_>> = BTreeMap::new();
            for (number, group) in self.of_class(class) {
                kinds.entry(&group.kind).or_default().push((number, group));
            }
            let (many, few): (Vec<_>, Vec<_>) =
                kinds.into_iter().partition(|(_, members)| members.len() >= least);
            let mut few: Vec<_> = few.into_iter().flat_map(|(_, members)| members).collect();
            few.sort_by_key(|(number, _)| *number);
            for (kind, mut members) in many.into_iter().chain([("several kinds", few)]) {
                let label = format!("{purpose} {class} {kind}");
                Rng::new(seed, &label).shuffle(&mut members);
                members.sort_by_key(|(_, group)| Reverse(size_class(group.size)));
                strata.push(members);
            }
        }
        strata
    }

    /// Moves to each split that lacks a class the smallest group of the split that has most of it.
    fn fill(&self, splits: &mut [Split], shares: Shares) {
        for class in Class::ALL {
            for split in shares.splits() {
                let is_in =
                    |splits: &[Split], number: usize, split| splits.get(number) == Some(&split);
                let count = |splits: &[Split], split| {
                    self.of_class(class).filter(|(number, _)| is_in(splits, *number, split)).count()
                };
                if count(splits, split) > 0 {
                    continue;
                }
                let Some(rich) =
                    shares.splits().max_by_key(|split| (count(splits, *split), Reverse(*split)))
                else {
                    continue;
                };
                let members = self.of_class(class).filter(|(n, _)| is_in(splits, *n, rich));
                if let Some((number, _)) = members.min_by_key(|(n, group)| (group.size, *n)) {
                    set(splits, number, split);
                }
            }
        }
    }
}

fn set<T>(values: &mut [T], at: usize, value: T) {
    if let Some(place) = values.get_mut(at) {
        *place = value;
    }
}

/// The size class: sizes within a factor of four are equal, so that chance orders them.
fn size_class(size: usize) -> u32 {
    size.max(1).ilog2() / 2
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::groups::Member;

    fn groups(sizes: impl IntoIterator<Item = (bool, &'static str, usize)>) -> Groups {
        let members: Vec<_> = sizes
            .into_iter()
            .map(|(is_virus, kind, size)| Member { id: "", is_virus, names: &[], kind, size })
            .collect();
        Groups::of_members(&members)
    }

    fn count(splits: &[Split]) -> [usize; 3] {
        Split::ALL.map(|split| splits.iter().filter(|p| **p == split).count())
    }

    #[test]
    fn a_split_keeps_shares_and_repeats() {
        let groups = groups((0..200).map(|i| (i < 100, "", 100)));
        let split = |seed| groups.split(&Shares::default(), seed).unwrap();
        assert_eq!(count(&split(1)), [140, 30, 30]);
        assert_eq!(count(&split(1)[..100]), [70, 15, 15]);
        assert_eq!(split(1), split(1));
        assert_ne!(split(1), split(2));
    }

    #[test]
    fn every_kind_is_in_every_part() {
        let kinds = ["a", "b", "c", "d"];
        let groups = groups((0..80).map(|i| (i % 8 < 4, kinds[i % 4], 10 + i)));
        let splits = groups.split(&Shares::default(), 3).unwrap();
        for kind in 0..8 {
            let of_kind: Vec<_> = (0..80).filter(|i| i % 8 == kind).map(|i| splits[i]).collect();
            assert!(count(&of_kind).iter().all(|n| *n > 0), "{of_kind:?}");
        }
    }

    #[test]
    fn rare_kinds_are_split_together() {
        let kinds: [&'static str; 10] = ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j"];
        let groups = groups((0..20).map(|i| (i < 10, kinds[i % 10], 100)));
        let splits = groups.split(&Shares::default(), 3).unwrap();
        assert!(count(&splits[..10])[1..].iter().all(|n| (1..=2).contains(n)), "{splits:?}");
    }

    #[test]
    fn three_groups_fill_three_parts() {
        let sizes = [(true, "", 1000), (true, "", 10), (true, "", 1), (false, "", 5)];
        let few = groups(sizes);
        let Err(Error::TooFewGroups { class: "others", found: 1, needed: 3 }) =
            few.split(&Shares::default(), 1)
        else {
            panic!()
        };
        let enough = groups(sizes.into_iter().chain([(false, "x", 5), (false, "", 9)]));
        let splits = enough.split(&Shares::default(), 1).unwrap();
        assert_eq!(count(&splits), [2, 2, 2]);
        assert_eq!(count(&splits[..3]), [1, 1, 1]);
        let without_test = Shares { test: 0.0, ..Shares::default() };
        assert_eq!(count(&enough.split(&without_test, 1).unwrap())[2], 0);
        let Err(Error::EmptyClass { class: "virus", .. }) =
            groups([(false, "", 5)]).split(&Shares::default(), 1)
        else {
            panic!()
        };
    }

    #[test]
    fn folds_are_alike_in_size_and_kinds() {
        let kinds = ["a", "b", "c"];
        let groups = groups((0..90).map(|i| (i % 2 == 0, kinds[i % 3], 50 + i)));
        let folds = groups.folds(5, 1);
        assert_eq!(folds, groups.folds(5, 1));
        assert_ne!(folds, groups.folds(5, 2));
        let size = |fold| -> usize {
            groups
                .groups()
                .iter()
                .zip(&folds)
                .filter(|(_, f)| **f == fold)
                .map(|(g, _)| g.size)
                .sum()
        };
        let sizes: Vec<usize> = (0..5).map(size).collect();
        let (least, most) = (sizes.iter().min().unwrap(), sizes.iter().max().unwrap());
        assert!(*most as f64 <= *least as f64 * 1.15, "{sizes:?}");
        // 15 groups of each class and kind make three in each fold.
        for kind in 0..6 {
            for fold in 0..5 {
                let here = (0..90).filter(|i| i % 6 == kind && folds[*i] == fold).count();
                assert!((2..=4).contains(&here), "{here}");
            }
        }
    }

    #[test]
    fn many_small_kinds_fill_every_fold() {
        let groups = groups((0..10).map(|i| {
            let kinds: [&'static str; 10] = ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j"];
            (true, kinds[i], 7)
        }));
        let folds = groups.folds(5, 1);
        assert!((0..5).all(|fold| folds.iter().filter(|f| **f == fold).count() == 2), "{folds:?}");
    }
}
