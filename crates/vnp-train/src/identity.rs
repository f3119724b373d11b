//! The identity of a training: everything that its result depends on.

use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;
use serde_json::Value;
use vnp_job::Difference;

use crate::error::Error;

/// Settings and digests by name. Trainings of the same identity give the same tensors.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Identity(BTreeMap<String, String>);

impl Identity {
    /// This identity with one more field, or with another value for an existing one.
    #[must_use]
    pub fn with(mut self, field: impl Into<String>, value: impl fmt::Display) -> Self {
        self.0.insert(field.into(), value.to_string());
        self
    }

    /// This identity with every value of some settings as a field of its own:
    /// `recipe.schedule.rate` and so on.
    /// Absent options are not fields.
    ///
    /// ```
    /// let settings = std::collections::BTreeMap::from([("rate", 0.5), ("decay", 0.1)]);
    /// let identity = vnp_train::Identity::default().with_all("recipe", &settings)?;
    /// let fields: Vec<_> = identity.fields().collect();
    /// assert_eq!(fields, [("recipe.decay", "0.1"), ("recipe.rate", "0.5")]);
    /// # Ok::<(), vnp_train::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Io`] for settings that cannot be written as JSON.
    pub fn with_all(self, name: &str, settings: &impl Serialize) -> Result<Self, Error> {
        let settings = serde_json::to_value(settings).map_err(std::io::Error::other)?;
        Ok(self.with_value(name, &settings))
    }

    fn with_value(self, name: &str, value: &Value) -> Self {
        match value {
            Value::Object(fields) => fields.iter().fold(self, |identity, (field, value)| {
                identity.with_value(&format!("{name}.{field}"), value)
            }),
            Value::Null => self,
            Value::String(text) => self.with(name, text),
            value => self.with(name, value),
        }
    }

    /// The fields with their values, by name.
    pub fn fields(&self) -> impl ExactSizeIterator<Item = (&str, &str)> {
        self.0.iter().map(|(field, value)| (field.as_str(), value.as_str()))
    }

    /// Every field that differs between this training and `old`.
    #[must_use]
    pub fn differences(&self, old: &Self) -> Vec<Difference> {
        vnp_job::differences(&old.0, &self.0)
    }
}
