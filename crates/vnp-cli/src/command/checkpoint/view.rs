//! What `--json` shows of a checkpoint: a view of its header, of which nothing is copied.

use std::borrow::Cow;
use std::fmt;
use std::path::Path;

use serde::{Serialize, Serializer};
use vnp_ckpt::{Encoding, Header, Integrity, Section, Value};

/// A checkpoint without its rows.
#[derive(Serialize)]
pub(super) struct Inspected<'a> {
    created: &'a str,
    integrity: &'static str,
    kind: &'a str,
    metadata: Entries<'a>,
    path: Cow<'a, str>,
    producer: Producer<'a>,
    rows: Rows,
    status: &'static str,
    tensors: Tensors<'a>,
    version: String,
    #[serde(skip)]
    pub(super) header: &'a Header,
}

#[derive(Serialize)]
struct Producer<'a> {
    name: &'a str,
    version: &'a str,
}

#[derive(Serialize)]
struct Rows {
    end: u64,
    start: u64,
}

impl<'a> Inspected<'a> {
    pub(super) fn new(file: &'a Path, header: &'a Header, integrity: Integrity) -> Self {
        let Header { producer, rows, .. } = header;
        Self {
            created: &header.created,
            integrity: integrity.name(),
            kind: &header.kind,
            metadata: Entries(&header.metadata),
            path: file.to_string_lossy(),
            producer: Producer { name: &producer.name, version: &producer.version },
            rows: Rows { end: rows.end, start: rows.start },
            status: header.status.name(),
            tensors: Tensors(&header.sections),
            version: header.version.to_string(),
            header,
        }
    }

    pub(super) fn integrity(&self) -> &'static str {
        self.integrity
    }
}

/// The tensors among the sections.
struct Tensors<'a>(&'a [Section]);

impl Serialize for Tensors<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Tensor<'a> {
            dtype: String,
            name: &'a str,
            shape: &'a [usize],
        }
        serializer.collect_seq(self.0.iter().filter_map(|section| match &section.encoding {
            Encoding::Tensor { dtype, shape, .. } => {
                Some(Tensor { dtype: dtype.to_string(), name: &section.name, shape })
            }
            _ => None,
        }))
    }
}

struct Entries<'a>(&'a std::collections::BTreeMap<String, Value>);

impl Serialize for Entries<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(key, value)| (key, Shown(value))))
    }
}

/// A value of the metadata; bytes as hexadecimal digits, and numbers that JSON does not have as null.
pub(super) struct Shown<'a>(pub(super) &'a Value);

impl Serialize for Shown<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Value::Null => serializer.serialize_unit(),
            Value::Bool(value) => serializer.serialize_bool(*value),
            Value::Int(value) => serializer.serialize_i64(*value),
            Value::Float(value) => serializer.serialize_f64(*value),
            Value::String(value) => serializer.serialize_str(value),
            Value::Bytes(value) => serializer.collect_str(&Hex(value)),
            Value::List(values) => serializer.collect_seq(values.iter().map(Shown)),
            Value::Map(values) => Entries(values).serialize(serializer),
        }
    }
}

struct Hex<'a>(&'a [u8]);

impl fmt::Display for Hex<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_what_json_has() {
        let list = Value::List(vec![
            Value::Null,
            Value::Bool(true),
            Value::Int(i64::MIN),
            Value::Float(-0.0),
            Value::Float(f64::NAN),
            Value::Bytes(vec![0, 0xff]),
            Value::Map([("k".to_owned(), Value::String("v".to_owned()))].into()),
        ]);
        let text = serde_json::to_string(&Shown(&list)).unwrap();
        assert_eq!(text, r#"[null,true,-9223372036854775808,-0.0,null,"00ff",{"k":"v"}]"#);
    }
}
