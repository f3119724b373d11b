//! The description of a checkpoint in an export: the same in every container but our own.

use std::collections::BTreeMap;

use crate::checkpoint::builder::check_values;
use crate::error::Error;
use crate::error::kind::ErrorKind;
use crate::gate;
use crate::header::Status;
use crate::header::decode::{check_words, rows_of, status_of};
use crate::header::fields::Fields;
use crate::header::{Header, Producer, Section};
use crate::rows::RowRange;
use crate::value::Value;
use crate::version::Version;

/// The description, taken from fields.
pub(crate) struct Described {
    status: Status,
    kind: String,
    rows: RowRange,
    created: String,
    producer: Producer,
    producer_unknown: BTreeMap<String, Value>,
    metadata: BTreeMap<String, Value>,
    unknown: BTreeMap<String, Value>,
}

impl Described {
    /// Takes `status`, `kind`, `rows`, `created`, `producer`, `metadata` and `unknown`.
    pub(crate) fn take(fields: &mut Fields) -> Result<Self, ErrorKind> {
        let mut producer = Fields::new("producer.", fields.map("producer")?);
        Ok(Self {
            status: status_of(fields)?,
            kind: fields.text("kind")?,
            rows: rows_of(fields)?,
            created: fields.text("created")?,
            producer: Producer { name: producer.text("name")?, version: producer.text("version")? },
            producer_unknown: producer.rest(),
            metadata: fields.map("metadata")?,
            unknown: fields.map("unknown")?,
        })
    }

    /// The rows.
    pub(crate) fn rows(&self) -> RowRange {
        self.rows
    }

    /// The header with these sections, of which nothing is checked.
    pub(crate) fn header(
        self,
        version: Version,
        sections: Vec<Section>,
    ) -> Result<Header, ErrorKind> {
        let header = Header {
            version,
            status: self.status,
            kind: self.kind,
            rows: self.rows,
            created: self.created,
            producer: self.producer,
            sections,
            metadata: self.metadata,
            unknown: self.unknown,
            producer_unknown: self.producer_unknown,
        };
        check_words(&header)?;
        check_values(&header)?;
        Ok(header)
    }
}

/// The version that an export states: never one of an unversioned file.
pub(crate) fn version_of(text: &str) -> Result<Version, ErrorKind> {
    let version = Version::parse(text).map_err(Error::into_kind)?;
    if version.major() == 0 {
        return Err(Version::malformed(text));
    }
    gate::admit(version)
}
