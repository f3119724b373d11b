//! Files put together by hand around one lie, their digests right, and what is said about them.

use std::collections::BTreeMap;

use vnp_ckpt::{Error, Value};

use crate::support::{decode, file, header, ids, pack, tensor};

pub(crate) type Map = BTreeMap<String, Value>;

/// The bytes of an ids section for these texts.
pub(crate) fn texts(texts: &[&str]) -> Vec<u8> {
    let ends = texts.iter().scan(0, |end, text| {
        *end += text.len() as u64;
        Some(*end)
    });
    let table = std::iter::once(0).chain(ends).flat_map(u64::to_le_bytes);
    table.chain(texts.concat().into_bytes()).collect()
}

/// Two rows, ids `a` and `b`, a tensor `[2, 3]` of u8; `spoil` gets the header, the ids section
/// and the tensor section before the file is put together around them.
pub(crate) fn spoiled(spoil: impl Fn(&mut Map, &mut Map, &mut Map)) -> Vec<u8> {
    let (id_bytes, data) = (texts(&["a", "b"]), [1, 2, 3, 4, 5, 6]);
    spoiled_with(&id_bytes, &data, spoil)
}

pub(crate) fn spoiled_with(
    id_bytes: &[u8],
    data: &[u8],
    spoil: impl Fn(&mut Map, &mut Map, &mut Map),
) -> Vec<u8> {
    let packed = |offset: i64| {
        let mut ids = ids(2, offset, id_bytes);
        let next = offset + (id_bytes.len() as i64 + 63) / 64 * 64;
        let mut tensor = tensor(&[2, 3], next, data);
        let mut header = header(2, vec![]);
        spoil(&mut header, &mut ids, &mut tensor);
        if header.get("sections") == Some(&Value::List(vec![])) {
            header.insert("sections".to_owned(), list(&[ids, tensor]));
        }
        pack(&header)
    };
    let offset = (64 + packed(1 << 12).len() as i64 + 63) / 64 * 64;
    file(&packed(offset), &[id_bytes, data])
}

/// The refusal in one line.
pub(crate) fn refusal(error: &Error) -> String {
    match error {
        Error::BadHeader { field, expected, found, .. } => {
            format!("bad {field}: {expected}, not {found}")
        }
        Error::Inconsistent { path: Some(_), subject, expected, found } => {
            format!("{subject}: {expected}, not {found}")
        }
        Error::LimitExceeded { path: Some(_), limit, .. } => format!("limit {limit}"),
        Error::MissingField { field, .. } => format!("missing {field}"),
        Error::DigestMismatch { section, .. } => format!("digest {section}"),
        other => format!("{other:?}"),
    }
}

#[track_caller]
pub(crate) fn check(bytes: &[u8], expected: &str) {
    let error = decode(bytes).expect_err(expected);
    assert!(refusal(&error).contains(expected), "expected: {expected}\nfound: {}", refusal(&error));
}

#[track_caller]
pub(crate) fn check_header(key: &str, value: Value, expected: &str) {
    check(
        &spoiled(|header, _, _| {
            header.insert(key.to_owned(), value.clone());
        }),
        expected,
    );
}

#[track_caller]
pub(crate) fn check_ids(key: &str, value: impl Into<Value>, expected: &str) {
    let value = value.into();
    check(
        &spoiled(|_, ids, _| {
            ids.insert(key.to_owned(), value.clone());
        }),
        expected,
    );
}

#[track_caller]
pub(crate) fn check_tensor(key: &str, value: impl Into<Value>, expected: &str) {
    let value = value.into();
    check(
        &spoiled(|_, _, tensor| {
            tensor.insert(key.to_owned(), value.clone());
        }),
        expected,
    );
}

pub(crate) fn list(sections: &[Map]) -> Value {
    Value::List(sections.iter().cloned().map(Value::Map).collect())
}

pub(crate) fn ints(values: &[i64]) -> Value {
    Value::List(values.iter().map(|&value| Value::Int(value)).collect())
}
