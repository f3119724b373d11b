//! Pickled values as bytes, nested by concatenation; files around them as plain as can be.

use super::torch::Legacy;
use super::zip::{Archive, Record};

/// A pickle of protocol 2 that is this value.
pub fn pickle(value: &[u8]) -> Vec<u8> {
    [b"\x80\x02", value, b"."].concat()
}

pub fn text(text: &str) -> Vec<u8> {
    [b"X", &(text.len() as u32).to_le_bytes()[..], text.as_bytes()].concat()
}

pub fn int(number: i64) -> Vec<u8> {
    [b"\x8a\x08", &number.to_le_bytes()[..]].concat()
}

pub fn float(number: f64) -> Vec<u8> {
    [b"G", &number.to_be_bytes()[..]].concat()
}

pub fn tuple(items: &[Vec<u8>]) -> Vec<u8> {
    [b"(", &items.concat()[..], b"t"].concat()
}

pub fn list(items: &[Vec<u8>]) -> Vec<u8> {
    [b"](", &items.concat()[..], b"e"].concat()
}

pub fn texts(items: &[&str]) -> Vec<u8> {
    list(&items.iter().map(|item| text(item)).collect::<Vec<_>>())
}

pub fn floats(items: &[f64]) -> Vec<u8> {
    list(&items.iter().map(|&item| float(item)).collect::<Vec<_>>())
}

pub fn dict(entries: &[(&str, Vec<u8>)]) -> Vec<u8> {
    let entries: Vec<_> =
        entries.iter().flat_map(|(key, value)| [text(key), value.clone()]).collect();
    [b"}(", &entries.concat()[..], b"u"].concat()
}

/// A call as REDUCE makes it.
pub fn call(module: &str, name: &str, arguments: &[Vec<u8>]) -> Vec<u8> {
    [format!("c{module}\n{name}\n").as_bytes(), &tuple(arguments), b"R"].concat()
}

/// A persistent id; `rest` is what a pre-1.6 (non-zip) file has after the number of elements.
pub fn storage(key: &str, dtype: &str, count: i64, rest: &[Vec<u8>]) -> Vec<u8> {
    let dtype = format!("ctorch\n{dtype}Storage\n").into_bytes();
    let id = [&[text("storage"), dtype, text(key), text("cpu"), int(count)], rest].concat();
    [tuple(&id), b"Q".to_vec()].concat()
}

pub fn numbers(numbers: &[i64]) -> Vec<u8> {
    tuple(&numbers.iter().map(|&number| int(number)).collect::<Vec<_>>())
}

/// A tensor on a storage.
pub fn view(storage: Vec<u8>, offset: i64, size: &[i64], stride: &[i64]) -> Vec<u8> {
    let hooks = call("collections", "OrderedDict", &[]);
    let arguments = [storage, int(offset), numbers(size), numbers(stride), b"\x89".to_vec(), hooks];
    call("torch._utils", "_rebuild_tensor_v2", &arguments)
}

/// A dense tensor of floats that is the whole of a storage.
pub fn tensor(key: &str, size: &[i64]) -> Vec<u8> {
    let stride: Vec<_> = (1..=size.len()).map(|skip| size.iter().skip(skip).product()).collect();
    view(storage(key, "Float", size.iter().product(), &[]), 0, size, &stride)
}

/// The bytes of floats.
pub fn bytes(values: &[f32]) -> Vec<u8> {
    values.iter().flat_map(|value| value.to_le_bytes()).collect()
}

/// An archive of a pickle and storages.
pub fn archive(pickle: &[u8], storages: &[(&str, &[u8])]) -> Vec<u8> {
    let storages: Vec<_> =
        storages.iter().map(|(key, bytes)| (format!("a/data/{key}"), *bytes)).collect();
    let mut records = vec![("a/data.pkl", pickle), ("a/byteorder", b"little")];
    records.extend(storages.iter().map(|(name, bytes)| (name.as_str(), *bytes)));
    zip(&records)
}

/// An archive of records as PyTorch lays it out, without 64-bit records.
pub fn zip(records: &[(&str, &[u8])]) -> Vec<u8> {
    let records = records.iter().map(|(name, data)| Record::new(name, data)).collect();
    Archive { records, without_zip64: true, ..Archive::default() }.bytes()
}

/// A pre-1.6 (non-zip) file.
pub fn legacy(value: &[u8], storages: &[(&str, i64, &[u8])]) -> Vec<u8> {
    let keys = storages.iter().map(|(key, ..)| (*key).to_owned()).collect();
    let storages = storages.iter().map(|(_, count, bytes)| (*count, bytes.to_vec())).collect();
    Legacy { pickle: pickle(value), keys, storages, ..Legacy::good() }.bytes()
}
