//! PyTorch files put together by hand, for tests.

use std::io::Cursor;
use std::path::Path;

use super::super::container::{Container, Origin};
use super::TorchFile;
use crate::{Checkpoint, Error, Limits};

/// A pickle of protocol 2 that is this value.
pub(crate) fn pickle(value: &[u8]) -> Vec<u8> {
    [b"\x80\x02", value, b"."].concat()
}

pub(crate) fn text(text: &str) -> Vec<u8> {
    [b"X", &(text.len() as u32).to_le_bytes()[..], text.as_bytes()].concat()
}

pub(crate) fn int(number: i64) -> Vec<u8> {
    [b"\x8a\x08", &number.to_le_bytes()[..]].concat()
}

pub(crate) fn float(number: f64) -> Vec<u8> {
    [b"G", &number.to_be_bytes()[..]].concat()
}

pub(crate) fn tuple(items: &[Vec<u8>]) -> Vec<u8> {
    [b"(", &items.concat()[..], b"t"].concat()
}

pub(crate) fn list(items: &[Vec<u8>]) -> Vec<u8> {
    [b"](", &items.concat()[..], b"e"].concat()
}

pub(crate) fn texts(items: &[&str]) -> Vec<u8> {
    list(&items.iter().map(|item| text(item)).collect::<Vec<_>>())
}

pub(crate) fn floats(items: &[f64]) -> Vec<u8> {
    list(&items.iter().map(|&item| float(item)).collect::<Vec<_>>())
}

pub(crate) fn dict(entries: &[(&str, Vec<u8>)]) -> Vec<u8> {
    let entries: Vec<_> =
        entries.iter().flat_map(|(key, value)| [text(key), value.clone()]).collect();
    [b"}(", &entries.concat()[..], b"u"].concat()
}

/// A call as REDUCE makes it.
pub(crate) fn call(module: &str, name: &str, arguments: &[Vec<u8>]) -> Vec<u8> {
    [format!("c{module}\n{name}\n").as_bytes(), &tuple(arguments), b"R"].concat()
}

/// A persistent id; `rest` is what a file of before archives has after the number of elements.
pub(crate) fn storage(key: &str, dtype: &str, count: i64, rest: &[Vec<u8>]) -> Vec<u8> {
    let dtype = format!("ctorch\n{dtype}Storage\n").into_bytes();
    let id = [&[text("storage"), dtype, text(key), text("cpu"), int(count)], rest].concat();
    [tuple(&id), b"Q".to_vec()].concat()
}

pub(crate) fn numbers(numbers: &[i64]) -> Vec<u8> {
    tuple(&numbers.iter().map(|&number| int(number)).collect::<Vec<_>>())
}

/// A tensor on a storage.
pub(crate) fn view(storage: Vec<u8>, offset: i64, size: &[i64], stride: &[i64]) -> Vec<u8> {
    let hooks = call("collections", "OrderedDict", &[]);
    let arguments = [storage, int(offset), numbers(size), numbers(stride), b"\x89".to_vec(), hooks];
    call("torch._utils", "_rebuild_tensor_v2", &arguments)
}

/// A dense tensor of floats that is the whole of a storage.
pub(crate) fn tensor(key: &str, size: &[i64]) -> Vec<u8> {
    let stride: Vec<_> = (1..=size.len()).map(|from| size[from..].iter().product()).collect();
    view(storage(key, "Float", size.iter().product(), &[]), 0, size, &stride)
}

/// The bytes of floats.
pub(crate) fn bytes(values: &[f32]) -> Vec<u8> {
    values.iter().flat_map(|value| value.to_le_bytes()).collect()
}

/// An archive of a pickle and storages.
pub(crate) fn archive(pickle: &[u8], storages: &[(&str, &[u8])]) -> Vec<u8> {
    let storages: Vec<_> =
        storages.iter().map(|(key, bytes)| (format!("a/data/{key}"), *bytes)).collect();
    let mut records = vec![("a/data.pkl", pickle), ("a/byteorder", b"little")];
    records.extend(storages.iter().map(|(name, bytes)| (name.as_str(), *bytes)));
    zip(&records)
}

/// An archive of records, as PyTorch lays it out, without padding and 64-bit records.
pub(crate) fn zip(records: &[(&str, &[u8])]) -> Vec<u8> {
    let (mut file, mut directory) = (Vec::new(), Vec::new());
    for (name, bytes) in records {
        let (offset, crc) = (file.len() as u32, crc32fast::hash(bytes));
        let sizes = [(bytes.len() as u32).to_le_bytes(); 2].concat();
        let name_bytes = (name.len() as u16).to_le_bytes();
        file.extend_from_slice(b"PK\x03\x04\0\0\x08\x08\0\0\0\0\0\0");
        file.extend_from_slice(&[0; 12]);
        file.extend_from_slice(&[&name_bytes[..], &[0; 2], name.as_bytes(), bytes].concat());
        file.extend_from_slice(&[b"PK\x07\x08", &crc.to_le_bytes()[..], &sizes].concat());
        directory.extend_from_slice(b"PK\x01\x02\0\0\0\0\x08\x08\0\0\0\0\0\0");
        directory.extend_from_slice(&[&crc.to_le_bytes()[..], &sizes, &name_bytes].concat());
        directory.extend_from_slice(&[0; 12]);
        directory.extend_from_slice(&[&offset.to_le_bytes()[..], name.as_bytes()].concat());
    }
    let count = (records.len() as u16).to_le_bytes();
    let places = [directory.len() as u32, file.len() as u32].map(u32::to_le_bytes).concat();
    file.extend_from_slice(&directory);
    file.extend_from_slice(&[b"PK\x05\x06\0\0\0\0", &count[..], &count, &places, &[0; 2]].concat());
    file
}

/// A file of before archives.
pub(crate) fn legacy(value: &[u8], storages: &[(&str, i64, &[u8])]) -> Vec<u8> {
    let mut file = b"\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.".to_vec();
    file.extend(pickle(&int(1001)));
    file.extend(pickle(&dict(&[("little_endian", b"\x88".to_vec())])));
    file.extend(pickle(value));
    file.extend(pickle(&texts(&storages.iter().map(|(key, ..)| *key).collect::<Vec<_>>())));
    for (_, count, bytes) in storages {
        file.extend_from_slice(&count.to_le_bytes());
        file.extend_from_slice(bytes);
    }
    file
}

pub(crate) fn open(bytes: &[u8]) -> Result<TorchFile<Cursor<Vec<u8>>>, Error> {
    open_within(bytes, &Limits::default())
}

pub(crate) fn open_within(
    bytes: &[u8],
    limits: &Limits,
) -> Result<TorchFile<Cursor<Vec<u8>>>, Error> {
    let origin = Origin {
        path: Path::new("a.pt"),
        length_bytes: bytes.len() as u64,
        modified: "2026-01-31T23:59:59Z",
        limits,
    };
    let input = Cursor::new(bytes.to_vec());
    if bytes.starts_with(b"PK") {
        TorchFile::open(input, origin)
    } else {
        TorchFile::open_legacy(input, origin)
    }
}

pub(crate) fn load(bytes: &[u8]) -> Result<Checkpoint, Error> {
    Box::new(open(bytes)?).load()
}

/// Loads an archive of one value and the storage `0` of these floats.
pub(crate) fn load_value(value: &[u8], storage: &[f32]) -> Result<Checkpoint, Error> {
    load(&archive(&pickle(value), &[("0", &bytes(storage))]))
}
