//! Parts and folds of groups.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use super::{Groups, Relatives};
use crate::Error;
use crate::part::Part;
use crate::records::Class;
use crate::rng::Rng;

/// The shares of the data that are kept from learning; the rest is learned from.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Shares {
    /// To choose the epoch by.
    pub validation: f64,
    /// To measure with; 0 for none.
    pub test: f64,
}

impl Default for Shares {
    /// 15 % each.
    fn default() -> Self {
        Self { validation: 0.15, test: 0.15 }
    }
}

impl Shares {
    /// Refuses shares that leave nothing to learn from or to choose by.
    pub(crate) fn check(self) -> Result<(), Error> {
        let expected = "a share of at least 0, and less than 1 together with the other one";
        let wrong =
            |setting, found: f64| Error::BadSetting { setting, expected, found: found.to_string() };
        let is_share = |share: f64| (0.0..1.0).contains(&share);
        if !is_share(self.validation) || self.validation == 0.0 {
            let expected = "a share above 0 and below 1";
            let found = self.validation.to_string();
            return Err(Error::BadSetting { setting: "validation share", expected, found });
        }
        if !is_share(self.test) || self.validation + self.test >= 1.0 {
            return Err(wrong("test share", self.test));
        }
        Ok(())
    }

    fn of(self, part: Part) -> f64 {
        match part {
            Part::Training => 1.0 - self.validation - self.test,
            Part::Validation => self.validation,
            Part::Test => self.test,
        }
    }

    /// The parts that hold something.
    pub(crate) fn parts(self) -> impl Iterator<Item = Part> {
        Part::ALL.into_iter().filter(move |part| self.of(*part) > 0.0)
    }
}

impl Groups {
    /// The part of every group: each kind of organism is split by these shares of its size, as well
    /// as groups of any size allow. Kinds with fewer groups than there are parts are split together.
    /// Groups are taken in a random order, each for the part that lacks most of its share; every part
    /// gets a group of each class.
    ///
    /// # Errors
    /// [`Error::TooFewGroups`] where a class has fewer groups than there are parts,
    /// [`Error::EmptyClass`] where it has none, [`Error::BadSetting`] for shares that cannot be.
    pub fn split(&self, shares: &Shares, seed: u64) -> Result<Vec<Part>, Error> {
        shares.check()?;
        let needed = shares.parts().count();
        for class in Class::ALL {
            let found = self.of_class(class).count();
            if found == 0 {
                return Err(Error::EmptyClass { class: class.name(), what: "groups" });
            }
            if found < needed {
                return Err(Error::TooFewGroups { class: class.name(), found, needed });
            }
        }
        let mut parts = vec![Part::Training; self.groups.len()];
        for members in self.strata("split", needed, seed) {
            let total: usize = members.iter().map(|(_, group)| group.size).sum();
            let mut taken = BTreeMap::new();
            for (number, group) in members {
                let lacking = |part: &Part| {
                    let taken = taken.get(part).copied().unwrap_or(0usize);
                    shares.of(*part) * total as f64 - (taken + group.size) as f64
                };
                let part = shares.parts().max_by(|a, b| lacking(a).total_cmp(&lacking(b)));
                let part = part.unwrap_or(Part::Training);
                *taken.entry(part).or_insert(0) += group.size;
                set(&mut parts, number, part);
            }
        }
        self.fill(&mut parts, *shares);
        Ok(parts)
    }

    /// The fold of every group, 0..`count`, for cross-validation: the groups of each kind are spread
    /// over the folds so that these are alike in size.
    #[must_use]
    pub fn folds(&self, count: usize, seed: u64) -> Vec<usize> {
        let count = count.max(1);
        let mut folds = vec![0; self.groups.len()];
        let mut of_class = BTreeMap::new();
        for members in self.strata("folds", 1, seed) {
            let mut of_kind = vec![0; count];
            for (number, group) in members {
                let class = of_class.entry(group.is_virus).or_insert_with(|| vec![0; count]);
                // The least of this kind; of several the least of the class.
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

    /// The groups of each class and kind in a random order, large ones first: they fit into few
    /// places. Kinds with fewer groups than `least` come together, last.
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

    /// Gives a part that is without a class the smallest group of the part that has most of it.
    fn fill(&self, parts: &mut [Part], shares: Shares) {
        for class in Class::ALL {
            for part in shares.parts() {
                let is_in = |parts: &[Part], number: usize, part| parts.get(number) == Some(&part);
                let count = |parts: &[Part], part| {
                    self.of_class(class).filter(|(number, _)| is_in(parts, *number, part)).count()
                };
                if count(parts, part) > 0 {
                    continue;
                }
                let Some(rich) =
                    shares.parts().max_by_key(|part| (count(parts, *part), Reverse(*part)))
                else {
                    continue;
                };
                let members = self.of_class(class).filter(|(n, _)| is_in(parts, *n, rich));
                if let Some((number, _)) = members.min_by_key(|(n, group)| (group.size, *n)) {
                    set(parts, number, part);
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

/// Sizes within a factor of four count as equal, so that chance and not size orders them.
fn size_class(size: usize) -> u32 {
    size.max(1).ilog2() / 2
}

#[cfg(test)]
mod tests {
    use super::super::Member;
    use super::*;

    fn groups(sizes: impl IntoIterator<Item = (bool, &'static str, usize)>) -> Groups {
        let members: Vec<_> = sizes
            .into_iter()
            .map(|(is_virus, kind, size)| Member { id: "", is_virus, names: &[], kind, size })
            .collect();
        Groups::of_members(&members)
    }

    fn count(parts: &[Part]) -> [usize; 3] {
        Part::ALL.map(|part| parts.iter().filter(|p| **p == part).count())
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
        let parts = groups.split(&Shares::default(), 3).unwrap();
        for kind in 0..8 {
            let of_kind: Vec<_> = (0..80).filter(|i| i % 8 == kind).map(|i| parts[i]).collect();
            assert!(count(&of_kind).iter().all(|n| *n > 0), "{of_kind:?}");
        }
    }

    #[test]
    fn rare_kinds_are_split_together() {
        let kinds: [&'static str; 10] = ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j"];
        let groups = groups((0..20).map(|i| (i < 10, kinds[i % 10], 100)));
        let parts = groups.split(&Shares::default(), 3).unwrap();
        assert!(count(&parts[..10])[1..].iter().all(|n| (1..=2).contains(n)), "{parts:?}");
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
        let parts = enough.split(&Shares::default(), 1).unwrap();
        assert_eq!(count(&parts), [2, 2, 2]);
        assert_eq!(count(&parts[..3]), [1, 1, 1]);
        let without_test = Shares { test: 0.0, ..Shares::default() };
        assert_eq!(count(&enough.split(&without_test, 1).unwrap())[2], 0);
        let Err(Error::EmptyClass { class: "virus", .. }) =
            groups([(false, "", 5)]).split(&Shares::default(), 1)
        else {
            panic!()
        };
    }

    #[test]
    fn shares_are_checked() {
        let check = |validation, test| Shares { validation, test }.check();
        assert!(check(0.1, 0.0).is_ok());
        for (validation, test) in
            [(0.0, 0.1), (0.5, 0.5), (-0.1, 0.1), (0.1, -0.1), (f64::NAN, 0.1)]
        {
            let Err(Error::BadSetting { .. }) = check(validation, test) else { panic!() };
        }
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
