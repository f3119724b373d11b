//! Fields taken from a decoded map by name and type; fields that remain are unknown, and kept.

use std::collections::BTreeMap;

use crate::error::kind::ErrorKind;
use crate::value::Value;

/// The fields of one map of the header.
pub(crate) struct Fields {
    /// Where the map is, such as `sections.0.`.
    prefix: String,
    map: BTreeMap<String, Value>,
}

impl Fields {
    pub(crate) fn new(prefix: impl Into<String>, map: BTreeMap<String, Value>) -> Self {
        Self { prefix: prefix.into(), map }
    }

    /// The fields that were not taken.
    pub(crate) fn rest(self) -> BTreeMap<String, Value> {
        self.map
    }

    pub(crate) fn take(&mut self, name: &str) -> Result<Value, ErrorKind> {
        let value = self.map.remove(name);
        value.ok_or_else(|| ErrorKind::MissingField { field: self.full(name) })
    }

    pub(crate) fn text(&mut self, name: &str) -> Result<String, ErrorKind> {
        match self.take(name)? {
            Value::String(text) => Ok(text),
            other => Err(self.bad(name, "a text", other.noun())),
        }
    }

    pub(crate) fn truth(&mut self, name: &str) -> Result<bool, ErrorKind> {
        match self.take(name)? {
            Value::Bool(truth) => Ok(truth),
            other => Err(self.bad(name, "a boolean", other.noun())),
        }
    }

    pub(crate) fn count(&mut self, name: &str) -> Result<u64, ErrorKind> {
        let value = self.take(name)?;
        self.to_count(name, &value)
    }

    pub(crate) fn counts(&mut self, name: &str) -> Result<Vec<u64>, ErrorKind> {
        self.list(name)?.iter().map(|value| self.to_count(name, value)).collect()
    }

    pub(crate) fn bytes(&mut self, name: &str) -> Result<Vec<u8>, ErrorKind> {
        match self.take(name)? {
            Value::Bytes(bytes) => Ok(bytes),
            other => Err(self.bad(name, "bytes", other.noun())),
        }
    }

    pub(crate) fn list(&mut self, name: &str) -> Result<Vec<Value>, ErrorKind> {
        match self.take(name)? {
            Value::List(list) => Ok(list),
            other => Err(self.bad(name, "a list", other.noun())),
        }
    }

    pub(crate) fn map(&mut self, name: &str) -> Result<BTreeMap<String, Value>, ErrorKind> {
        match self.take(name)? {
            Value::Map(map) => Ok(map),
            other => Err(self.bad(name, "a map", other.noun())),
        }
    }

    /// The fields of the map of this name.
    pub(crate) fn inner(&mut self, name: &str) -> Result<Self, ErrorKind> {
        let map = self.map(name)?;
        Ok(Self::new(format!("{}.", self.full(name)), map))
    }

    /// The error that the field `name` is not as expected.
    pub(crate) fn bad(
        &self,
        name: &str,
        expected: impl Into<String>,
        found: impl Into<String>,
    ) -> ErrorKind {
        ErrorKind::bad_header(self.full(name), expected, found)
    }

    fn to_count(&self, name: &str, value: &Value) -> Result<u64, ErrorKind> {
        match value {
            Value::Int(number) => u64::try_from(*number)
                .map_err(|_| self.bad(name, "a number from 0", number.to_string())),
            other => Err(self.bad(name, "a number from 0", other.noun())),
        }
    }

    fn full(&self, name: &str) -> String {
        format!("{}{name}", self.prefix)
    }
}
