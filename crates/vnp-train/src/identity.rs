//! What a training's result depends on.

use std::collections::BTreeMap;
use std::fmt;

/// Settings and digests by name. Trainings of the same identity give the same tensors.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Identity(BTreeMap<String, String>);

/// One field in which two identities differ.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// Name of the field.
    pub field: String,
    /// Its value in the saved state; `absent` where it has none.
    pub old: String,
    /// Its value now.
    pub new: String,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} was {}, is now {}", self.field, self.old, self.new)
    }
}

impl Identity {
    /// With one more field, or another value of one.
    #[must_use]
    pub fn with(mut self, field: impl Into<String>, value: impl fmt::Display) -> Self {
        self.0.insert(field.into(), value.to_string());
        self
    }

    /// The fields with their values, by name.
    pub fn fields(&self) -> impl ExactSizeIterator<Item = (&str, &str)> {
        self.0.iter().map(|(field, value)| (field.as_str(), value.as_str()))
    }

    /// Every field that differs between this training and `old`.
    #[must_use]
    pub fn differences(&self, old: &Self) -> Vec<Difference> {
        let mut fields: Vec<&String> = self.0.keys().chain(old.0.keys()).collect();
        fields.sort_unstable();
        fields.dedup();
        let text = |of: &Self, field| of.0.get(field).cloned().unwrap_or("absent".to_owned());
        fields
            .into_iter()
            .filter(|field| self.0.get(*field) != old.0.get(*field))
            .map(|field| Difference {
                field: field.clone(),
                old: text(old, field),
                new: text(self, field),
            })
            .collect()
    }
}
