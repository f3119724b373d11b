//! Fields taken from a decoded map by name and type; what is left over is unknown, and kept.

use std::collections::BTreeMap;
use std::path::Path;

use crate::{Error, Value};

/// The fields of one map of the header.
pub(crate) struct Fields<'p> {
    path: &'p Path,
    /// Where the map is, such as `sections.0.`.
    prefix: String,
    map: BTreeMap<String, Value>,
}

impl<'p> Fields<'p> {
    pub(crate) fn new(path: &'p Path, prefix: &str, map: BTreeMap<String, Value>) -> Self {
        Self { path, prefix: prefix.to_owned(), map }
    }

    /// The fields that nobody took.
    pub(crate) fn rest(self) -> BTreeMap<String, Value> {
        self.map
    }

    pub(crate) fn take(&mut self, name: &str) -> Result<Value, Error> {
        self.map.remove(name).ok_or_else(|| Error::MissingField {
            path: self.path.to_owned(),
            field: self.full(name),
        })
    }

    pub(crate) fn text(&mut self, name: &str) -> Result<String, Error> {
        match self.take(name)? {
            Value::String(text) => Ok(text),
            other => Err(self.bad(name, "a text", other.noun())),
        }
    }

    pub(crate) fn truth(&mut self, name: &str) -> Result<bool, Error> {
        match self.take(name)? {
            Value::Bool(truth) => Ok(truth),
            other => Err(self.bad(name, "a truth value", other.noun())),
        }
    }

    pub(crate) fn count(&mut self, name: &str) -> Result<u64, Error> {
        let value = self.take(name)?;
        self.to_count(name, &value)
    }

    pub(crate) fn counts(&mut self, name: &str) -> Result<Vec<u64>, Error> {
        self.list(name)?.iter().map(|value| self.to_count(name, value)).collect()
    }

    pub(crate) fn bytes(&mut self, name: &str) -> Result<Vec<u8>, Error> {
        match self.take(name)? {
            Value::Bytes(bytes) => Ok(bytes),
            other => Err(self.bad(name, "bytes", other.noun())),
        }
    }

    pub(crate) fn list(&mut self, name: &str) -> Result<Vec<Value>, Error> {
        match self.take(name)? {
            Value::List(list) => Ok(list),
            other => Err(self.bad(name, "a list", other.noun())),
        }
    }

    pub(crate) fn map(&mut self, name: &str) -> Result<BTreeMap<String, Value>, Error> {
        match self.take(name)? {
            Value::Map(map) => Ok(map),
            other => Err(self.bad(name, "a map", other.noun())),
        }
    }

    /// The error that the field `name` is not what it should be.
    pub(crate) fn bad(
        &self,
        name: &str,
        expected: impl Into<String>,
        found: impl Into<String>,
    ) -> Error {
        Error::BadHeader {
            path: self.path.to_owned(),
            field: self.full(name),
            expected: expected.into(),
            found: found.into(),
        }
    }

    fn to_count(&self, name: &str, value: &Value) -> Result<u64, Error> {
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
