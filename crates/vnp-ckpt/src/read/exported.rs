//! What an export says of a checkpoint beside its tensors: the same in every other container.

use std::collections::BTreeMap;
use std::path::Path;

use crate::checkpoint::builder::check_values;
use crate::header::decode::{check_words, rows_of, status_of};
use crate::header::fields::Fields;
use crate::header::{Header, Producer, Section};
use crate::{Error, RowRange, Status, Value, Version, gate};

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
    pub(crate) fn take(fields: &mut Fields<'_>, path: &Path) -> Result<Self, Error> {
        let mut producer = Fields::new(path, "producer.", fields.map("producer")?);
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
        path: &Path,
    ) -> Result<Header, Error> {
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
        check_words(&header)
            .and_then(|()| check_values(&header))
            .map_err(|error| error.in_file(path))?;
        Ok(header)
    }
}

/// The version that an export states: never one from before versions.
pub(crate) fn version_of(text: &str, path: &Path) -> Result<Version, Error> {
    let version = Version::parse(text).map_err(|error| error.in_file(path))?;
    if version.major() == 0 {
        return Err(Version::malformed(text).in_file(path));
    }
    gate::admit(path, version)
}
