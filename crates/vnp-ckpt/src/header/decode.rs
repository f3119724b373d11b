//! A header from MessagePack, every field checked.

use std::path::Path;
use std::str::FromStr;

use super::fields::Fields;
use super::{Encoding, Header, Producer, Section, Status};
use crate::digest::Digest;
use crate::value::codec::{DecodeFault, decode_map};
use crate::{Dtype, Error, Limits, RowRange, Value, Version, gate, limits};

impl Header {
    /// Reads the header of a file whose preamble states the version `stated`.
    ///
    /// Field by field only: that the sections fit each other and the file is for
    /// [`layout`](super::layout) to say.
    pub(crate) fn decode(
        bytes: &[u8],
        path: &Path,
        stated: &Version,
        limits: &Limits,
    ) -> Result<Self, Error> {
        let map = decode_map(bytes, limits).map_err(|fault| match fault {
            DecodeFault::Limit(error) => error.in_file(path),
            DecodeFault::Malformed(found) => Error::BadHeader {
                path: path.to_owned(),
                field: "(all)".to_owned(),
                expected: "one map in MessagePack".to_owned(),
                found,
            },
        })?;
        let mut fields = Fields::new(path, "", map);
        let version = version_of(&mut fields, path, stated)?;
        let status = status_of(&mut fields)?;
        let kind = fields.text("kind")?;
        let rows = rows_of(&mut fields)?;
        let created = fields.text("created")?;
        let mut producer = Fields::new(path, "producer.", fields.map("producer")?);
        let list = fields.list("sections")?;
        limits::check("sections", limits.sections, list.len() as u64)
            .map_err(|error| error.in_file(path))?;
        let sections = list
            .into_iter()
            .enumerate()
            .map(|(index, value)| section_of(value, index, path, limits))
            .collect::<Result<_, _>>()?;
        let metadata = fields.map("metadata")?;
        let header = Self {
            version,
            status,
            kind,
            rows,
            created,
            producer: Producer { name: producer.text("name")?, version: producer.text("version")? },
            sections,
            metadata,
            producer_unknown: producer.rest(),
            unknown: fields.rest(),
        };
        check_words(&header).map_err(|error| error.in_file(path))?;
        Ok(header)
    }
}

/// What a header's kind and time must be, whether it was read or built.
pub(crate) fn check_words(header: &Header) -> Result<(), Error> {
    let wrong = |subject: &str, expected: &str, found: &str| Error::Inconsistent {
        path: None,
        subject: subject.to_owned(),
        expected: expected.to_owned(),
        found: format!("`{found}`"),
    };
    if header.kind.is_empty() {
        return Err(wrong("kind", "a word", ""));
    }
    let created = &header.created;
    if !created.ends_with('Z') || jiff::Timestamp::from_str(created).is_err() {
        return Err(wrong("created", "a time such as 2026-01-31T23:59:59Z", created));
    }
    if header.rows.start > header.rows.end {
        return Err(wrong("rows", "an end not before the start", &header.rows.to_string()));
    }
    // Headers hold whole numbers of 64 signed bits.
    if i64::try_from(header.rows.end).is_err() {
        return Err(wrong("rows", "an end below 2^63", &header.rows.to_string()));
    }
    Ok(())
}

fn version_of(fields: &mut Fields<'_>, path: &Path, stated: &Version) -> Result<Version, Error> {
    let text = match fields.take("version")? {
        Value::String(text) => text,
        other => return Err(Version::malformed(other.noun()).in_file(path)),
    };
    let version = Version::parse(&text).map_err(|error| error.in_file(path))?;
    if (version.major(), version.minor()) != (stated.major(), stated.minor()) {
        let version = gate::admit(path, version)?;
        return Err(fields.bad(
            "version",
            format!("{stated}, as before the header"),
            version.to_string(),
        ));
    }
    Ok(version)
}

/// `status`, from the fields of any header.
pub(crate) fn status_of(fields: &mut Fields<'_>) -> Result<Status, Error> {
    let text = fields.text("status")?;
    [Status::InProgress, Status::Complete]
        .into_iter()
        .find(|status| status.name() == text)
        .ok_or_else(|| fields.bad("status", "in_progress or complete", format!("`{text}`")))
}

/// `rows`, from the fields of any header.
pub(crate) fn rows_of(fields: &mut Fields<'_>) -> Result<RowRange, Error> {
    match fields.counts("rows")?.as_slice() {
        &[start, end] => Ok(RowRange { start, end }),
        other => Err(fields.bad(
            "rows",
            "two numbers, start and end",
            format!("{} of them", other.len()),
        )),
    }
}

fn section_of(value: Value, index: usize, path: &Path, limits: &Limits) -> Result<Section, Error> {
    let prefix = format!("sections.{index}.");
    let map = match value {
        Value::Map(map) => map,
        other => {
            return Err(Fields::new(path, "", Default::default()).bad(
                prefix.trim_end_matches('.'),
                "a map",
                other.noun(),
            ));
        }
    };
    let mut fields = Fields::new(path, &prefix, map);
    let name = fields.text("name")?;
    let encoding = match fields.text("encoding")?.as_str() {
        "strings" => Encoding::Strings { count: fields.count("count")? },
        "tensor" => tensor_of(&mut fields, path, limits)?,
        other => return Err(fields.bad("encoding", "strings or tensor", format!("`{other}`"))),
    };
    let (offset, length) = (fields.count("offset")?, fields.count("length")?);
    let digest = fields.bytes("digest")?;
    let digest = <[u8; Digest::BYTES]>::try_from(digest.as_slice())
        .map(Digest::from_bytes)
        .map_err(|_| fields.bad("digest", "16 bytes", format!("{} bytes", digest.len())))?;
    Ok(Section { name, encoding, offset, length, digest, unknown: fields.rest() })
}

fn tensor_of(fields: &mut Fields<'_>, path: &Path, limits: &Limits) -> Result<Encoding, Error> {
    let name = fields.text("dtype")?;
    let dtype = Dtype::from_str(&name)
        .map_err(|error| fields.bad("dtype", "an element type", error.to_string()))?;
    let counts = fields.counts("shape")?;
    limits::check("tensor_rank", limits.tensor_rank, counts.len() as u64)
        .map_err(|error| error.in_file(path))?;
    let shape = counts
        .into_iter()
        .map(|size| {
            usize::try_from(size)
                .map_err(|_| fields.bad("shape", "sizes that fit memory", size.to_string()))
        })
        .collect::<Result<_, _>>()?;
    Ok(Encoding::Tensor { dtype, shape, per_row: fields.truth("per_row")? })
}
