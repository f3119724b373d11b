//! The tensors of a safetensors file: what the header says of each, checked against the others and
//! the file.

use std::collections::BTreeMap;

use crate::error::kind::ErrorKind;
use crate::header::fields::Fields;
use crate::limits;
use crate::read::container::Origin;
use crate::tensor::dtype::Dtype;
use crate::tensor::element_count;
use crate::value::Value;
use crate::write::safetensors::dtype_name;

/// A tensor in the file.
#[derive(Clone, Debug)]
pub(super) struct TensorInfo {
    pub(super) dtype: Dtype,
    pub(super) shape: Vec<usize>,
    /// From the start of the file.
    pub(super) offset: u64,
    /// In bytes.
    pub(super) length: u64,
}

/// The tensors by name.
pub(super) struct Table {
    tensors: BTreeMap<String, TensorInfo>,
}

impl Table {
    /// Reads the table of a file whose tensors start at `start`: they follow each other to the
    /// file's end, without holes or overlaps.
    pub(super) fn read(
        map: BTreeMap<String, Value>,
        start: u64,
        origin: Origin<'_>,
    ) -> Result<Self, ErrorKind> {
        let Origin { length_bytes, limits, .. } = origin;
        // The ids are a section, too.
        limits::check("sections", limits.sections, map.len() as u64 + 1)?;
        let tensors = map.into_iter().map(|(name, value)| {
            let info = tensor_of(&name, value, start, origin)?;
            Ok((name, info))
        });
        let table = Self { tensors: tensors.collect::<Result<_, ErrorKind>>()? };
        let mut expected = start;
        for (name, info) in table.in_file_order() {
            if info.offset != expected {
                let previous = format!("a start at byte {}, where the last ends", expected - start);
                let found = format!("byte {}", info.offset - start);
                return Err(ErrorKind::bad_tensor(format!("`{name}`"), previous, found));
            }
            expected = info.offset + info.length;
        }
        if expected < length_bytes {
            let (expected_bytes, found_bytes) = (expected, length_bytes);
            return Err(ErrorKind::Surplus { expected_bytes, found_bytes });
        }
        Ok(table)
    }

    /// Takes the tensor of this name.
    pub(super) fn take(&mut self, name: &str) -> Option<TensorInfo> {
        self.tensors.remove(name)
    }

    /// A tensor that were not taken.
    pub(super) fn first(&self) -> Option<&str> {
        self.tensors.keys().next().map(String::as_str)
    }

    /// The names in the order in which the tensors lie in the file; where some have no bytes, by
    /// name.
    pub(super) fn in_file_order(&self) -> Vec<(&str, &TensorInfo)> {
        let mut tensors: Vec<_> =
            self.tensors.iter().map(|(name, info)| (name.as_str(), info)).collect();
        tensors.sort_by_key(|(_, info)| (info.offset, info.length));
        tensors
    }
}

fn tensor_of(
    name: &str,
    value: Value,
    start: u64,
    origin: Origin<'_>,
) -> Result<TensorInfo, ErrorKind> {
    let Origin { length_bytes, limits, .. } = origin;
    let map = match value {
        Value::Map(map) => map,
        other => return Err(ErrorKind::bad_header(name, "an object", other.noun())),
    };
    let bad = |expected: String, found: String| {
        ErrorKind::bad_tensor(format!("`{name}`"), expected, found)
    };
    let mut fields = Fields::new(format!("{name}."), map);
    let dtype = fields.text("dtype")?;
    let dtype =
        Dtype::ALL.into_iter().find(|known| dtype_name(*known) == dtype).ok_or_else(|| {
            let known: String = dtype.chars().take(16).collect();
            let what = format!("the element type `{known}` of tensor `{name}`");
            let remedy = "convert the tensor to one of F64, F32, F16, BF16, I64 to I8, U8 and BOOL";
            ErrorKind::unsupported(what, remedy)
        })?;
    let shape = fields.counts("shape")?;
    limits::check("tensor_rank", limits.tensor_rank, shape.len() as u64)?;
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
        return Err(ErrorKind::Truncated {
            expected_bytes: start.saturating_add(end),
            found_bytes: length_bytes,
        });
    }
    Ok(TensorInfo { dtype, shape, offset: start + begin, length })
}
