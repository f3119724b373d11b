//! The tensors of a safetensors file: what the header says of each, checked against the others and
//! the file.

use std::collections::BTreeMap;

use super::bad_header;
use crate::header::fields::Fields;
use crate::read::container::Origin;
use crate::tensor::element_count;
use crate::write::safetensors::dtype_name;
use crate::{Dtype, Error, Value, limits};

/// A tensor in the file.
#[derive(Clone, Debug)]
pub(super) struct Place {
    pub(super) dtype: Dtype,
    pub(super) shape: Vec<usize>,
    /// From the start of the file.
    pub(super) offset: u64,
    /// In bytes.
    pub(super) length: u64,
}

/// The tensors by name.
pub(super) struct Table {
    places: BTreeMap<String, Place>,
}

impl Table {
    /// Reads the table of a file whose tensors start at `start`: they follow each other to the
    /// file's end, without holes or overlaps.
    pub(super) fn read(
        map: BTreeMap<String, Value>,
        start: u64,
        origin: Origin<'_>,
    ) -> Result<Self, Error> {
        let Origin { path, length_bytes, limits, .. } = origin;
        // The ids are a section, too.
        limits::check("sections", limits.sections, map.len() as u64 + 1)
            .map_err(|error| error.in_file(path))?;
        let places = map.into_iter().map(|(name, value)| {
            let place = place_of(&name, value, start, origin)?;
            Ok((name, place))
        });
        let table = Self { places: places.collect::<Result<_, Error>>()? };
        let mut expected = start;
        for (name, place) in table.in_file_order() {
            if place.offset != expected {
                return Err(Error::BadTensor {
                    path: path.to_owned(),
                    tensor: format!("`{name}`"),
                    expected: format!("a start at byte {}, where the last ends", expected - start),
                    found: format!("byte {}", place.offset - start),
                });
            }
            expected = place.offset + place.length;
        }
        if expected < length_bytes {
            let (path, expected_bytes) = (path.to_owned(), expected);
            return Err(Error::Surplus { path, expected_bytes, found_bytes: length_bytes });
        }
        Ok(table)
    }

    /// Takes the tensor of this name.
    pub(super) fn take(&mut self, name: &str) -> Option<Place> {
        self.places.remove(name)
    }

    /// A tensor that nobody took.
    pub(super) fn first(&self) -> Option<&str> {
        self.places.keys().next().map(String::as_str)
    }

    /// The names in the order in which the tensors lie in the file; where some have no bytes, by
    /// name.
    pub(super) fn in_file_order(&self) -> Vec<(&str, &Place)> {
        let mut places: Vec<_> =
            self.places.iter().map(|(name, place)| (name.as_str(), place)).collect();
        places.sort_by_key(|(_, place)| (place.offset, place.length));
        places
    }
}

fn place_of(name: &str, value: Value, start: u64, origin: Origin<'_>) -> Result<Place, Error> {
    let Origin { path, length_bytes, limits, .. } = origin;
    let map = match value {
        Value::Map(map) => map,
        other => return Err(bad_header(path, name, "an object", other.noun())),
    };
    let bad = |expected: String, found: String| Error::BadTensor {
        path: path.to_owned(),
        tensor: format!("`{name}`"),
        expected,
        found,
    };
    let mut fields = Fields::new(path, &format!("{name}."), map);
    let dtype = fields.text("dtype")?;
    let dtype =
        Dtype::ALL.into_iter().find(|known| dtype_name(*known) == dtype).ok_or_else(|| {
            let known: String = dtype.chars().take(16).collect();
            Error::Unsupported {
                path: path.to_owned(),
                what: format!("the element type `{known}` of tensor `{name}`"),
                remedy: "convert the tensor to one of F64, F32, F16, BF16, I64 to I8, U8 and BOOL",
            }
        })?;
    let shape = fields.counts("shape")?;
    limits::check("tensor_rank", limits.tensor_rank, shape.len() as u64)
        .map_err(|error| error.in_file(path))?;
    let sizes = shape.iter().map(|&size| usize::try_from(size).ok());
    let length = sizes.collect::<Option<Vec<_>>>().and_then(|shape| {
        let length = element_count(&shape)?.checked_mul(dtype.size_bytes() as u64)?;
        Some((shape, length))
    });
    let (shape, length) = length
        .ok_or_else(|| bad("a shape of fewer than 2^64 bytes".to_owned(), format!("{shape:?}")))?;
    let offsets = fields.counts("data_offsets")?;
    let &[begin, end] = offsets.as_slice() else {
        return Err(fields.bad(
            "data_offsets",
            "two numbers",
            format!("{} of them", offsets.len()),
        ));
    };
    if end.checked_sub(begin) != Some(length) {
        return Err(bad(
            format!("{length} bytes for {dtype} {shape:?}"),
            format!("{begin}..{end}"),
        ));
    }
    if start.checked_add(end).is_none_or(|end| end > length_bytes) {
        return Err(Error::Truncated {
            path: path.to_owned(),
            expected_bytes: start.saturating_add(end),
            found_bytes: length_bytes,
        });
    }
    Ok(Place { dtype, shape, offset: start + begin, length })
}
