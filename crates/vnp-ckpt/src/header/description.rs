//! The part of a header that every container states alike: all but version, status and sections.

use std::collections::BTreeMap;

use super::fields::Fields;
use super::{Header, Producer, Section, Status};
use crate::error::kind::ErrorKind;
use crate::rows::RowRange;
use crate::value::Value;
use crate::version::Version;

/// A header without version, status and sections.
pub(crate) struct Description {
    pub(crate) kind: String,
    pub(crate) rows: RowRange,
    pub(crate) created: String,
    pub(crate) producer: Producer,
    pub(crate) producer_unknown: BTreeMap<String, Value>,
    pub(crate) metadata: BTreeMap<String, Value>,
    pub(crate) unknown: BTreeMap<String, Value>,
}

impl Description {
    /// The description of a file that states none: no rows, no kind, no metadata.
    #[allow(dead_code, reason = "native files have one")]
    pub(crate) fn foreign(producer: &str, created: &str) -> Self {
        Self {
            kind: String::new(),
            rows: RowRange::default(),
            created: created.to_owned(),
            producer: Producer { name: producer.to_owned(), version: String::new() },
            producer_unknown: BTreeMap::new(),
            metadata: BTreeMap::new(),
            unknown: BTreeMap::new(),
        }
    }

    /// Takes `kind`, `rows`, `created`, `producer` and `metadata`. Unknown fields are the caller's.
    pub(crate) fn take(fields: &mut Fields) -> Result<Self, ErrorKind> {
        let mut producer = fields.inner("producer")?;
        Ok(Self {
            kind: fields.text("kind")?,
            rows: rows_of(fields)?,
            created: fields.text("created")?,
            producer: Producer { name: producer.text("name")?, version: producer.text("version")? },
            producer_unknown: producer.rest(),
            metadata: fields.map("metadata")?,
            unknown: BTreeMap::new(),
        })
    }

    /// The header with these sections, unchecked.
    pub(crate) fn header(self, version: Version, status: Status, sections: Vec<Section>) -> Header {
        let Self { kind, rows, created, producer, producer_unknown, metadata, unknown } = self;
        Header {
            version,
            status,
            kind,
            rows,
            created,
            producer,
            sections,
            metadata,
            unknown,
            producer_unknown,
        }
    }
}

/// `rows`, from the fields of any header.
fn rows_of(fields: &mut Fields) -> Result<RowRange, ErrorKind> {
    match fields.counts("rows")?.as_slice() {
        &[start, end] => Ok(RowRange { start, end }),
        other => Err(fields.bad(
            "rows",
            "two numbers, start and end",
            format!("{} of them", other.len()),
        )),
    }
}
