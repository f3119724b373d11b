//! What a job's results depend on, compared field by field.

use std::collections::BTreeMap;
use std::fmt;

use vnp_escape::shown;

/// One field in which the identities of two jobs differ.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// Name of the field.
    pub field: String,
    /// Its value in the checkpoints; `absent` where they have none.
    pub old: String,
    /// Its value now.
    pub new: String,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} was {}, is now {}", shown(&self.field), shown(&self.old), shown(&self.new))
    }
}

/// Every field in which `new` differs from `old`, in the order of the names.
#[must_use]
pub fn differences<K: Ord + AsRef<str>>(
    old: &BTreeMap<K, String>,
    new: &BTreeMap<K, String>,
) -> Vec<Difference> {
    let mut fields: Vec<&K> = old.keys().chain(new.keys()).collect();
    fields.sort_unstable();
    fields.dedup();
    let text =
        |of: &BTreeMap<K, String>, field| of.get(field).map_or("absent", String::as_str).to_owned();
    fields
        .into_iter()
        .filter(|field| old.get(field) != new.get(field))
        .map(|field| Difference {
            field: field.as_ref().to_owned(),
            old: text(old, field),
            new: text(new, field),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_field_that_differs_is_named() {
        let old = [("seed", "1"), ("gone", "x"), ("same", "0.5")];
        let new = [("seed", "2"), ("new", "y"), ("same", "0.5")];
        let fields = |pairs: [(&'static str, &str); 3]| {
            BTreeMap::from(pairs.map(|(k, v)| (k, v.to_owned())))
        };
        let found = differences(&fields(old), &fields(new));
        let texts: Vec<String> = found.iter().map(ToString::to_string).collect();
        let expected =
            ["gone was x, is now absent", "new was absent, is now y", "seed was 1, is now 2"];
        assert_eq!(texts, expected);
        assert!(differences(&fields(new), &fields(new)).is_empty());
    }
}
