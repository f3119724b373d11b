//! A header from MessagePack, every field checked.

use std::str::FromStr;

use super::description::Description;
use super::fields::Fields;
use super::{Encoding, Header, Section, Status};
use crate::budget::Budget;
use crate::digest::Digest;
use crate::error::Error;
use crate::error::kind::ErrorKind;
use crate::gate;
use crate::limits::{self, Limits};
use crate::tensor::dtype::Dtype;
use crate::value::Value;
use crate::value::codec::decode_map;
use crate::version::Version;

impl Header {
    /// Reads the header of a file whose preamble states the version `stated`.
    ///
    /// Field by field only: that the sections fit each other and the file is for
    /// [`layout`](super::layout) to say.
    pub(crate) fn decode(
        bytes: &[u8],
        stated: &Version,
        limits: &Limits,
        budget: &Budget,
    ) -> Result<Self, ErrorKind> {
        let map = decode_map(bytes, limits, budget)
            .map_err(|fault| fault.in_field("(all)", "one map in MessagePack"))?;
        let mut fields = Fields::new("", map);
        let version = version_of(&mut fields, stated)?;
        let status = status_of(&mut fields)?;
        let description = Description::take(&mut fields)?;
        let list = fields.list("sections")?;
        limits::check("sections", limits.sections, list.len() as u64)?;
        let sections = list
            .into_iter()
            .enumerate()
            .map(|(index, value)| section_of(value, index, limits))
            .collect::<Result<_, _>>()?;
        let description = Description { unknown: fields.rest(), ..description };
        let header = description.header(version, status, sections);
        check_words(&header)?;
        Ok(header)
    }
}

/// Checks the kind, the time and the rows of a header, whether it was read or built.
pub(crate) fn check_words(header: &Header) -> Result<(), ErrorKind> {
    let wrong = |subject: &str, expected: &str, found: &str| {
        ErrorKind::inconsistent(subject, expected, format!("`{found}`"))
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
    // Headers hold integers of 64 signed bits.
    if i64::try_from(header.rows.end).is_err() {
        return Err(wrong("rows", "an end below 2^63", &header.rows.to_string()));
    }
    Ok(())
}

fn version_of(fields: &mut Fields, stated: &Version) -> Result<Version, ErrorKind> {
    let text = match fields.take("version")? {
        Value::String(text) => text,
        other => return Err(Version::malformed(other.noun())),
    };
    let version = Version::parse(&text).map_err(Error::into_kind)?;
    if (version.major(), version.minor()) != (stated.major(), stated.minor()) {
        let version = gate::admit(version)?;
        return Err(fields.bad(
            "version",
            format!("{stated}, as before the header"),
            version.to_string(),
        ));
    }
    Ok(version)
}

/// `status`, from the fields of any header.
pub(crate) fn status_of(fields: &mut Fields) -> Result<Status, ErrorKind> {
    let text = fields.text("status")?;
    [Status::InProgress, Status::Complete]
        .into_iter()
        .find(|status| status.name() == text)
        .ok_or_else(|| fields.bad("status", "in_progress or complete", format!("`{text}`")))
}

fn section_of(value: Value, index: usize, limits: &Limits) -> Result<Section, ErrorKind> {
    let prefix = format!("sections.{index}.");
    let map = match value {
        Value::Map(map) => map,
        other => {
            return Err(ErrorKind::bad_header(prefix.trim_end_matches('.'), "a map", other.noun()));
        }
    };
    let mut fields = Fields::new(prefix, map);
    let name = fields.text("name")?;
    let encoding = match fields.text("encoding")?.as_str() {
        "strings" => Encoding::Strings { count: fields.count("count")? },
        "tensor" => tensor_of(&mut fields, limits)?,
        other => return Err(fields.bad("encoding", "strings or tensor", format!("`{other}`"))),
    };
    let (offset, length) = (fields.count("offset")?, fields.count("length")?);
    let digest = fields.bytes("digest")?;
    let digest = <[u8; Digest::BYTES]>::try_from(digest.as_slice())
        .map(Digest::from_bytes)
        .map_err(|_| fields.bad("digest", "16 bytes", format!("{} bytes", digest.len())))?;
    Ok(Section { name, encoding, offset, length, digest, unknown: fields.rest() })
}

fn tensor_of(fields: &mut Fields, limits: &Limits) -> Result<Encoding, ErrorKind> {
    let name = fields.text("dtype")?;
    let dtype = Dtype::from_str(&name)
        .map_err(|error| fields.bad("dtype", "an element type", error.to_string()))?;
    let counts = fields.counts("shape")?;
    limits::check("tensor_rank", limits.tensor_rank, counts.len() as u64)?;
    let shape = counts
        .into_iter()
        .map(|size| {
            usize::try_from(size)
                .map_err(|_| fields.bad("shape", "sizes that fit memory", size.to_string()))
        })
        .collect::<Result<_, _>>()?;
    Ok(Encoding::Tensor { dtype, shape, per_row: fields.truth("per_row")? })
}
