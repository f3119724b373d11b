//! The metadata of a safetensors file: a checkpoint's description in our exports, anything in the
//! files of other programs.

use std::collections::BTreeMap;

use super::table::{Table, TensorInfo};
use crate::budget::Budget;
use crate::checkpoint::builder::check_values;
use crate::digest::Digest;
use crate::error::Error;
use crate::error::kind::ErrorKind;
use crate::gate;
use crate::header::decode::{check_words, status_of};
use crate::header::description::Description;
use crate::header::fields::Fields;
use crate::header::{Encoding, Header, IDS, Section, Status};
use crate::limits::{self, Limits};
use crate::read::container::Origin;
use crate::tensor::dtype::Dtype;
use crate::value::Value;
use crate::value::json::from_json;
use crate::version::Version;
use crate::write::safetensors::{ID_OFFSETS, ID_TEXT, METADATA};

/// The prefix of our keys.
const PREFIX: &str = "vnp.";

/// Our keys whose text is JSON.
const IN_JSON: [&str; 5] = ["rows", "producer", "sections", "metadata", "unknown"];

/// The expected text of a field in JSON.
pub(super) const JSON: &str = "one value in JSON";

/// The tensors with the ids.
pub(super) struct Ids {
    pub(super) text: TensorInfo,
    pub(super) offsets: TensorInfo,
}

/// The metadata.
pub(super) enum Metadata {
    /// A version that is read, and the fields of a checkpoint.
    Ours(Version, Fields),
    /// Any texts by name.
    Foreign(BTreeMap<String, Value>),
}

/// Distinguishes our files from others; the version of ours is checked before anything else.
pub(super) fn of(
    metadata: Option<Value>,
    limits: &Limits,
    budget: &Budget,
) -> Result<Metadata, ErrorKind> {
    let mut metadata = match metadata.unwrap_or(Value::Map(BTreeMap::new())) {
        Value::Map(map) => map,
        other => return Err(ErrorKind::bad_header(METADATA, "an object", other.noun())),
    };
    if let Some((key, value)) = metadata.iter().find(|(_, value)| value.as_str().is_none()) {
        let field = format!("{METADATA}.{key}");
        return Err(ErrorKind::bad_header(field, "a text", value.noun()));
    }
    let version = match metadata.remove("vnp.version") {
        Some(Value::String(version)) => version_of(&version)?,
        _ => return Ok(Metadata::Foreign(metadata)),
    };
    let mut fields = BTreeMap::new();
    for (key, value) in metadata {
        let (Some(name), Value::String(text)) = (key.strip_prefix(PREFIX), value) else { continue };
        let value = if IN_JSON.contains(&name) {
            let field = format!("{METADATA}.{key}");
            from_json(text.as_bytes(), limits, budget)
                .map_err(|fault| fault.in_field(&field, JSON))?
        } else {
            Value::String(text)
        };
        fields.insert(name.to_owned(), value);
    }
    let fields = Fields::new(format!("{METADATA}.{PREFIX}"), fields);
    Ok(Metadata::Ours(version, fields))
}

/// The header of a file of ours.
pub(super) fn ours(
    version: Version,
    mut fields: Fields,
    mut table: Table,
    limits: &Limits,
) -> Result<(Header, Option<Ids>), ErrorKind> {
    let status = status_of(&mut fields)?;
    let mut description = Description::take(&mut fields)?;
    description.unknown = fields.map("unknown")?;
    let rows = description.rows.len();
    let ids = if rows == 0 { None } else { Some(ids_of(&mut table, rows, limits)?) };
    let mut sections = Vec::new();
    for (index, value) in fields.list("sections")?.into_iter().enumerate() {
        let field = format!("{METADATA}.{PREFIX}sections.{index}.");
        let Value::Map(map) = value else {
            return Err(ErrorKind::bad_header(
                field.trim_end_matches('.'),
                "an object",
                value.noun(),
            ));
        };
        let mut fields = Fields::new(&field, map);
        let name = fields.text("name")?;
        let section = if index == 0 {
            if name != IDS {
                return Err(fields.bad("name", "ids, the first", format!("`{name}`")));
            }
            Section { unknown: fields.rest(), ..ids_section(rows, ids.as_ref()) }
        } else {
            let info = table.take(&name).ok_or_else(|| {
                fields.bad("name", "a tensor of the file, once", format!("`{name}`"))
            })?;
            let per_row = fields.truth("per_row")?;
            tensor_section(name, info, per_row, fields.rest())
        };
        sections.push(section);
    }
    if let Some(name) = table.first() {
        let expected = "every tensor of the file";
        return Err(fields.bad("sections", expected, format!("nothing of `{name}`")));
    }
    let header = description.header(version, status, sections);
    check_words(&header)?;
    check_values(&header)?;
    Ok((header, ids))
}

/// The header of a file of another program: weights without rows, unversioned.
pub(super) fn foreign(
    metadata: BTreeMap<String, Value>,
    table: Table,
    origin: Origin<'_>,
) -> Result<Header, ErrorKind> {
    let mut sections = vec![ids_section(0, None)];
    for (name, info) in table.in_file_order() {
        if name.is_empty() || name == IDS {
            let what = format!("a tensor named `{name}`");
            return Err(ErrorKind::unsupported(what, "give it another name"));
        }
        sections.push(tensor_section(name.to_owned(), info.clone(), false, BTreeMap::new()));
    }
    let kind = if sections.len() > 1 { "weights" } else { "values" };
    let mut description = Description::foreign("safetensors", origin.modified);
    (description.kind, description.metadata) = (kind.to_owned(), metadata);
    Ok(description.header(Version::V0, Status::Complete, sections))
}

/// The version that an export states: never that of an unversioned file.
fn version_of(text: &str) -> Result<Version, ErrorKind> {
    let version = Version::parse(text).map_err(Error::into_kind)?;
    if version.major() == 0 {
        return Err(Version::malformed(text));
    }
    gate::admit(version)
}

fn ids_of(table: &mut Table, rows: u64, limits: &Limits) -> Result<Ids, ErrorKind> {
    let mut take = |name: &str, dtype: Dtype, expected: &str, fits: &dyn Fn(&[usize]) -> bool| {
        let bad = |found: String| ErrorKind::bad_tensor(format!("`{name}`"), expected, found);
        let info = table.take(name).ok_or_else(|| bad("none".to_owned()))?;
        if info.dtype == dtype && fits(&info.shape) {
            return Ok(info);
        }
        Err(bad(format!("{} {:?}", info.dtype, info.shape)))
    };
    let offsets = take(
        ID_OFFSETS,
        Dtype::I64,
        &format!("i64 [{}], for the ids of {rows} rows", rows.saturating_add(1)),
        &|shape| matches!(shape, &[size] if Some(size as u64) == rows.checked_add(1)),
    )?;
    let text = take(ID_TEXT, Dtype::U8, "u8 [bytes]", &|shape| shape.len() == 1)?;
    let bytes = offsets.length.saturating_add(text.length);
    limits::check("id_bytes", limits.id_bytes, bytes)?;
    Ok(Ids { text, offsets })
}

fn ids_section(rows: u64, ids: Option<&Ids>) -> Section {
    Section {
        name: IDS.to_owned(),
        encoding: Encoding::Strings { count: rows },
        offset: ids.map_or(0, |ids| ids.text.offset),
        length: ids.map_or(0, |ids| ids.text.length),
        digest: Digest::default(),
        unknown: BTreeMap::new(),
    }
}

fn tensor_section(
    name: String,
    info: TensorInfo,
    per_row: bool,
    unknown: BTreeMap<String, Value>,
) -> Section {
    let TensorInfo { dtype, shape, offset, length } = info;
    let encoding = Encoding::Tensor { dtype, shape, per_row };
    Section { name, encoding, offset, length, digest: Digest::default(), unknown }
}
