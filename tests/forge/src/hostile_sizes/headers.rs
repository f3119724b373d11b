//! Headers in MessagePack and JSON whose values are many times their bytes.

use super::case::{HostileSize, hostile, joined, numbered};
use crate::native;
use crate::value::Value;

hostile! {
    native_ints.vnp: "metadata of as many integers as fit, one byte each"
    native_small_maps.vnp: "metadata of maps of one entry, four bytes each"
    native_texts.vnp: "metadata of texts of one letter, two bytes each"
    native_empty_lists.vnp: "metadata of empty lists, one byte each"
    native_long_key.vnp: "a key of the metadata of megabytes"
    native_keys.vnp: "metadata of as many keys as fit"
    native_short_ids.vnp: "as many ids of one letter as fit"
    native_sections.vnp: "as many sections as fit"
    safetensors_names.safetensors: "as many tensors without elements as fit"
    safetensors_copies.safetensors: "as many averaged copies of a head as fit"
    safetensors_capitals.safetensors: "a tensor whose name is a word for every two letters"
    safetensors_metadata.safetensors: "as many entries of metadata as fit"
    safetensors_numbers.safetensors: "a shape of as many sizes as fit"
    safetensors_nested.safetensors: "a header of as many empty lists as fit"
    safetensors_own_lists.safetensors: "metadata of our own, of empty lists in a text"
    safetensors_own_maps.safetensors: "metadata of our own, of small maps in a text"
    safetensors_one_key.safetensors: "a long key that is there twice"
}

/// A native file without rows, whose header has this metadata.
fn of_metadata(metadata: &[u8]) -> Vec<u8> {
    with_header(0, metadata, &native::texts(&[]))
}

fn with_header(rows: usize, metadata: &[u8], ids: &[u8]) -> Vec<u8> {
    let packed = |offset: u64| {
        let mut header = native::header(rows as i64);
        header.remove("metadata");
        let count = [("count", Value::Int(rows as i64))];
        let ids = native::section("ids", "strings", offset, ids, count);
        header.insert("sections".to_owned(), Value::List(vec![Value::Map(ids)]));
        let fields = header.len() as u32 + 1;
        let rest = Value::Map(header).pack();
        let rest = rest.get(5..).unwrap_or_default();
        let count = [&[0xdf], &fields.to_be_bytes()[..]].concat();
        joined(&[&count, rest, b"\xa8metadata", metadata])
    };
    let offset = 64 + packed(0).len().next_multiple_of(64);
    native::file(&packed(offset as u64), &[ids])
}

/// Metadata of one list.
fn list(count: usize, items: &[u8]) -> Vec<u8> {
    of_metadata(&joined(&[b"\x81\xa1m\xdd", &(count as u32).to_be_bytes(), items]))
}

fn native_ints(size: usize) -> Vec<u8> {
    list(size, &vec![7; size])
}

fn native_small_maps(size: usize) -> Vec<u8> {
    list(size / 4, &b"\x81\xa1a\x07".repeat(size / 4))
}

fn native_texts(size: usize) -> Vec<u8> {
    list(size / 2, &b"\xa1a".repeat(size / 2))
}

fn native_empty_lists(size: usize) -> Vec<u8> {
    list(size, &vec![0x90; size])
}

fn native_long_key(size: usize) -> Vec<u8> {
    let length = (size as u32).to_be_bytes();
    of_metadata(&joined(&[b"\x81\xdb", &length, &vec![b'k'; size], b"\x07"]))
}

fn native_keys(size: usize) -> Vec<u8> {
    let (count, entries) =
        numbered(size, |number| [b"\xa8", format!("{number:08}").as_bytes(), b"\x07"].concat());
    of_metadata(&joined(&[b"\xdf", &(count as u32).to_be_bytes(), &entries]))
}

fn native_short_ids(size: usize) -> Vec<u8> {
    let count = size / 9;
    let ids = native::texts(&vec![&b"a"[..]; count]);
    with_header(count, b"\x80", &ids)
}

fn native_sections(size: usize) -> Vec<u8> {
    let one = [&b"\x81\xa1a"[..], b"\x07"].concat();
    let count = size / one.len();
    let mut header = native::header(0);
    let fields = header.len() as u32 + 1;
    header.insert("metadata".to_owned(), Value::Map(crate::value::Map::new()));
    let rest = Value::Map(header).pack();
    let rest = rest.get(5..).unwrap_or_default();
    let start = [&[0xdf], &fields.to_be_bytes()[..]].concat();
    let list = [b"\xa8sections\xdd", &(count as u32).to_be_bytes()[..]].concat();
    native::file(&joined(&[&start, rest, &list, &one.repeat(count)]), &[])
}

/// A safetensors file of this header and no data.
fn safetensors(header: &[u8]) -> Vec<u8> {
    joined(&[&(header.len() as u64).to_le_bytes(), header])
}

fn safetensors_names(size: usize) -> Vec<u8> {
    let (_, entries) = numbered(size, |number| {
        format!(r#""{number}":{{"dtype":"U8","shape":[0],"data_offsets":[0,0]}},"#).into_bytes()
    });
    safetensors(&joined(&[b"{", &entries, br#""__metadata__":{}}"#]))
}

fn safetensors_copies(size: usize) -> Vec<u8> {
    let (_, entries) = numbered(size, |number| {
        let name = format!("ema{number}.hidden_layer.weight");
        format!(r#""{name}":{{"dtype":"U8","shape":[0],"data_offsets":[0,0]}},"#).into_bytes()
    });
    safetensors(&joined(&[b"{", &entries, br#""__metadata__":{}}"#]))
}

fn safetensors_capitals(size: usize) -> Vec<u8> {
    let rest = br#"":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}}"#;
    safetensors(&joined(&[br#"{""#, &b"Aa".repeat(size / 2), rest]))
}

fn safetensors_metadata(size: usize) -> Vec<u8> {
    let (_, entries) = numbered(size, |number| format!(r#""{number}":"","#).into_bytes());
    safetensors(&joined(&[br#"{"__metadata__":{"#, &entries, br#""z":""}}"#]))
}

fn safetensors_numbers(size: usize) -> Vec<u8> {
    let shape = b"0,".repeat(size / 2);
    let rest = br#"0],"data_offsets":[0,0]}}"#;
    safetensors(&joined(&[br#"{"a":{"dtype":"U8","shape":["#, &shape, rest]))
}

fn safetensors_nested(size: usize) -> Vec<u8> {
    safetensors(&joined(&[br#"{"a":["#, &b"[],".repeat(size / 3), b"[]]}"]))
}

/// A file that says that it is ours, with this metadata in JSON; quotes are escaped.
fn own(metadata: &[u8]) -> Vec<u8> {
    safetensors(&joined(&[
        br#"{"__metadata__":{"vnp.version":"1.0","vnp.status":"complete","vnp.kind":"k","#,
        br#""vnp.created":"2026-01-31T23:59:59Z","vnp.rows":"[0,0]","#,
        br#""vnp.producer":"{\"name\":\"p\",\"version\":\"1\"}","vnp.unknown":"{}","#,
        br#""vnp.sections":"[{\"name\":\"ids\"}]","vnp.metadata":""#,
        metadata,
        br#""}}"#,
    ]))
}

fn safetensors_own_lists(size: usize) -> Vec<u8> {
    own(&joined(&[br#"{\"m\":["#, &b"[],".repeat(size / 3), b"[]]}"]))
}

fn safetensors_own_maps(size: usize) -> Vec<u8> {
    own(&joined(&[br#"{\"m\":["#, &br#"{\"a\":1},"#.repeat(size / 10), b"[]]}"]))
}

fn safetensors_one_key(size: usize) -> Vec<u8> {
    let key = [b"\"", &b"k".repeat(size / 2)[..], b"\":1"].concat();
    safetensors(&joined(&[b"{", &key, b",", &key, b"}"]))
}
