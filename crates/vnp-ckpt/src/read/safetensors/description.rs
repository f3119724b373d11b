//! What a safetensors file says beside its tensors: a checkpoint's description in ours, anything
//! in the files of others.

use std::collections::BTreeMap;

use super::table::{Place, Table};
use super::{Ids, bad_header, check_id_bytes, of_fault};
use crate::digest::Digest;
use crate::header::fields::Fields;
use crate::header::{Encoding, Header, IDS, Producer, Section};
use crate::read::container::Origin;
use crate::read::exported::{Described, version_of};
use crate::value::json::from_json;
use crate::write::safetensors::{ID_OFFSETS, ID_TEXT, METADATA};
use crate::{Dtype, Error, RowRange, Status, Value, Version};

/// What our keys start with.
const PREFIX: &str = "vnp.";

/// Our keys whose text is JSON.
const IN_JSON: [&str; 5] = ["rows", "producer", "sections", "metadata", "unknown"];

/// What stands beside the tensors.
pub(super) enum Description<'p> {
    /// A version that is read, and the fields of a checkpoint.
    Ours(Version, Fields<'p>),
    /// Anything, in texts.
    Foreign(BTreeMap<String, Value>),
}

/// Tells the files apart; of ours the version is looked at before anything else.
pub(super) fn of<'p>(
    metadata: Option<Value>,
    origin: Origin<'p>,
) -> Result<Description<'p>, Error> {
    let Origin { path, limits, .. } = origin;
    let mut metadata = match metadata.unwrap_or(Value::Map(BTreeMap::new())) {
        Value::Map(map) => map,
        other => return Err(bad_header(path, METADATA, "an object", other.noun())),
    };
    if let Some((key, value)) = metadata.iter().find(|(_, value)| value.as_str().is_none()) {
        let field = format!("{METADATA}.{key}");
        return Err(bad_header(path, &field, "a text", value.noun()));
    }
    let version = match metadata.remove("vnp.version") {
        Some(Value::String(version)) => version_of(&version, path)?,
        _ => return Ok(Description::Foreign(metadata)),
    };
    let mut fields = BTreeMap::new();
    for (key, value) in metadata {
        let (Some(name), Value::String(text)) = (key.strip_prefix(PREFIX), value) else { continue };
        let value = if IN_JSON.contains(&name) {
            let field = format!("{METADATA}.{key}");
            from_json(text.as_bytes(), limits).map_err(|fault| of_fault(fault, &field, path))?
        } else {
            Value::String(text)
        };
        fields.insert(name.to_owned(), value);
    }
    let fields = Fields::new(path, &format!("{METADATA}.{PREFIX}"), fields);
    Ok(Description::Ours(version, fields))
}

/// The header of a file of ours.
pub(super) fn ours(
    version: Version,
    mut fields: Fields<'_>,
    mut table: Table,
    origin: Origin<'_>,
) -> Result<(Header, Option<Ids>), Error> {
    let path = origin.path;
    let described = Described::take(&mut fields, path)?;
    let rows = described.rows().len();
    let ids = if rows == 0 { None } else { Some(ids_of(&mut table, rows, origin)?) };
    let mut sections = Vec::new();
    for (index, value) in fields.list("sections")?.into_iter().enumerate() {
        let field = format!("{METADATA}.{PREFIX}sections.{index}.");
        let Value::Map(map) = value else {
            return Err(bad_header(path, field.trim_end_matches('.'), "an object", value.noun()));
        };
        let mut fields = Fields::new(path, &field, map);
        let name = fields.text("name")?;
        let section = if index == 0 {
            if name != IDS {
                return Err(fields.bad("name", "ids, the first", format!("`{name}`")));
            }
            Section { unknown: fields.rest(), ..ids_section(rows, ids.as_ref()) }
        } else {
            let place = table.take(&name).ok_or_else(|| {
                fields.bad("name", "a tensor of the file, once", format!("`{name}`"))
            })?;
            let per_row = fields.truth("per_row")?;
            tensor_section(name, place, per_row, fields.rest())
        };
        sections.push(section);
    }
    if let Some(name) = table.first() {
        let expected = "every tensor of the file";
        return Err(fields.bad("sections", expected, format!("nothing of `{name}`")));
    }
    Ok((described.header(version, sections, path)?, ids))
}

/// The header of a file of others: weights without rows, from before versions.
pub(super) fn foreign(
    metadata: BTreeMap<String, Value>,
    table: Table,
    origin: Origin<'_>,
) -> Result<Header, Error> {
    let mut sections = vec![ids_section(0, None)];
    for (name, place) in table.in_file_order() {
        if name.is_empty() || name == IDS {
            return Err(Error::Unsupported {
                path: origin.path.to_owned(),
                what: format!("a tensor named `{name}`"),
                remedy: "give it another name",
            });
        }
        sections.push(tensor_section(name.to_owned(), place.clone(), false, BTreeMap::new()));
    }
    let kind = if sections.len() > 1 { "weights" } else { "values" };
    Ok(Header {
        version: Version::V0,
        status: Status::Complete,
        kind: kind.to_owned(),
        rows: RowRange::default(),
        created: origin.modified.to_owned(),
        producer: Producer { name: "safetensors".to_owned(), version: String::new() },
        sections,
        metadata,
        unknown: BTreeMap::new(),
        producer_unknown: BTreeMap::new(),
    })
}

fn ids_of(table: &mut Table, rows: u64, origin: Origin<'_>) -> Result<Ids, Error> {
    let mut take = |name: &str, dtype: Dtype, expected: &str, fits: &dyn Fn(&[usize]) -> bool| {
        let bad = |found: String| Error::BadTensor {
            path: origin.path.to_owned(),
            tensor: format!("`{name}`"),
            expected: expected.to_owned(),
            found,
        };
        let place = table.take(name).ok_or_else(|| bad("none".to_owned()))?;
        if place.dtype == dtype && fits(&place.shape) {
            return Ok(place);
        }
        Err(bad(format!("{} {:?}", place.dtype, place.shape)))
    };
    let offsets = take(
        ID_OFFSETS,
        Dtype::I64,
        &format!("i64 [{}], for the ids of {rows} rows", rows.saturating_add(1)),
        &|shape| matches!(shape, &[size] if Some(size as u64) == rows.checked_add(1)),
    )?;
    let text = take(ID_TEXT, Dtype::U8, "u8 [bytes]", &|shape| shape.len() == 1)?;
    check_id_bytes(offsets.length.saturating_add(text.length), origin.path, origin.limits)?;
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
    place: Place,
    per_row: bool,
    unknown: BTreeMap<String, Value>,
) -> Section {
    let Place { dtype, shape, offset, length } = place;
    let encoding = Encoding::Tensor { dtype, shape, per_row };
    Section { name, encoding, offset, length, digest: Digest::default(), unknown }
}
