//! Files whose digests are right and whose contents lie.

use vnp_ckpt::{Error, ErrorKind, Limits};
use vnp_forge::native::{Parts, file, good, header, ints, map, preamble, with_payloads};
use vnp_forge::value::{Map, Value};

use crate::support::{check_limit, decode, decode_within, encode, sample};

/// The refusal in one line.
fn refusal(error: &Error) -> String {
    assert!(error.path().is_some(), "{error:?}");
    match error.kind() {
        ErrorKind::BadHeader { field, expected, found, .. } => {
            format!("bad {field}: {expected}, not {found}")
        }
        ErrorKind::Inconsistent { subject, expected, found } => {
            format!("{subject}: {expected}, not {found}")
        }
        ErrorKind::LimitExceeded { limit, .. } => format!("limit {limit}"),
        ErrorKind::MissingField { field, .. } => format!("missing {field}"),
        ErrorKind::DigestMismatch { section, .. } => format!("digest {section}"),
        other => format!("{other:?}"),
    }
}

#[track_caller]
fn check(bytes: &[u8], expected: &str) {
    let error = decode(bytes).expect_err(expected);
    assert!(refusal(&error).contains(expected), "expected: {expected}\nfound: {}", refusal(&error));
}

#[track_caller]
fn check_header(key: &str, value: Value, expected: &str) {
    check(&good(|parts| drop(parts.header.insert(key.to_owned(), value.clone()))), expected);
}

#[track_caller]
fn check_ids(key: &str, value: impl Into<Value>, expected: &str) {
    let value = value.into();
    check(&good(|parts| drop(parts.ids.insert(key.to_owned(), value.clone()))), expected);
}

#[track_caller]
fn check_tensor(key: &str, value: impl Into<Value>, expected: &str) {
    let value = value.into();
    check(&good(|parts| drop(parts.tensor.insert(key.to_owned(), value.clone()))), expected);
}

/// Lists these sections in the header.
fn set_sections(header: &mut Map, sections: &[&Map]) {
    let sections = sections.iter().map(|&section| Value::Map(section.clone())).collect();
    header.insert("sections".to_owned(), Value::List(sections));
}

#[test]
fn the_file_that_the_others_are_made_from_is_good() {
    let read = decode(&good(|_| {})).unwrap();
    assert_eq!(read.ids(), ["a", "b"]);
    assert_eq!(read.tensor("t").unwrap().as_u8().unwrap(), [1, 2, 3, 4, 5, 6]);
}

#[test]
fn fields_of_the_header() {
    check_header("status", "done".into(), "bad status: in_progress or complete, not `done`");
    check_header("status", 1.into(), "bad status: a text, not an integer");
    check_header("kind", "".into(), "kind: a word");
    check_header("rows", ints(&[0, 2, 2]), "bad rows: two numbers, start and end, not 3 of them");
    check_header("rows", ints(&[-2, 0]), "bad rows: a number from 0, not -2");
    check_header("rows", ints(&[2, 0]), "rows: an end not before the start");
    check_header("rows", ints(&[0, 3]), "ids: 3, one per row, not 2");
    check_header("rows", ints(&[0, i64::MAX]), "one per row, not 2");
    check_header("rows", "0..2".into(), "bad rows: a list, not a text");
    check_header("created", "yesterday".into(), "created: a time such as");
    check_header("created", "2026-01-31T23:59:59+01:00".into(), "created: a time such as");
    check_header("producer", "vnp".into(), "bad producer: a map, not a text");
    check_header("producer", map([("name", "vnp".into())]).into(), "missing producer.version");
    check_header("metadata", Value::Null, "bad metadata: a map, not nothing");
    check_header("sections", map([]).into(), "bad sections: a list, not a map");
    check_header("sections", ints(&[1]), "bad sections.0: a map, not an integer");
    for field in ["status", "kind", "rows", "created", "producer", "metadata"] {
        check(&good(|parts| drop(parts.header.remove(field))), &format!("missing {field}"));
    }
    check(&file(&Value::Map(header(2)).pack(), &[]), "missing sections");
    for field in ["name", "encoding", "count", "offset", "length", "digest"] {
        let expected = format!("missing sections.0.{field}");
        check(&good(|parts| drop(parts.ids.remove(field))), &expected);
    }
    for field in ["dtype", "shape", "per_row"] {
        let expected = format!("missing sections.1.{field}");
        check(&good(|parts| drop(parts.tensor.remove(field))), &expected);
    }
}

#[test]
fn places_of_sections() {
    check_ids("offset", 0, "offset of section `ids`");
    check_ids("offset", 64, "offset of section `ids`");
    check_ids("offset", i64::MAX, "offset of section `ids`");
    check_ids("offset", -64, "bad sections.0.offset: a number from 0, not -64");
    check_ids("length", 23, "length of section `ids`: 24, not 23");
    check_ids("length", i64::MAX, "end of section `ids`: at most");
    check_tensor("offset", 0, "offset of section `t`");
    check_tensor("length", 5, "length of section `t`: 6, not 5");
    check_tensor("length", 7, "length of section `t`: 6, not 7");
    check_tensor("digest", vec![0_u8; 16], "digest t");
    check_tensor("digest", vec![0_u8; 15], "bad sections.1.digest: 16 bytes, not 15 bytes");
    check_tensor("digest", "0123456789abcdef", "bad sections.1.digest: bytes, not a text");
}

#[test]
fn shapes_and_counts() {
    check_tensor("shape", ints(&[3, 2]), "rows of tensor `t`: 2, not 3");
    check_tensor("shape", ints(&[]), "rows of tensor `t`: 2, not no dimension");
    check_tensor("shape", ints(&[2, 4]), "length of section `t`: 8, not 6");
    check_tensor("shape", ints(&[2, -3]), "bad sections.1.shape: a number from 0, not -3");
    check_tensor("shape", ints(&[2, 1 << 59]), "length of section `t`: 1152921504606846976, not 6");
    check_tensor("shape", ints(&[2, i64::MAX]), "length of section `t`: 18446744073709551614");
    check_tensor("shape", ints(&[2, i64::MAX, 3]), "length of section `t`: fewer than 2^64");
    check_tensor("shape", ints(&[2, i64::MAX, 3, 0]), "length of section `t`: fewer than 2^64");
    check_tensor("shape", ints(&[2, 3, 1, 1, 1, 1, 1, 1, 1]), "limit tensor_rank");
    check_tensor("dtype", "f32", "length of section `t`: 24, not 6");
    check_tensor("dtype", "f8", "bad sections.1.dtype: an element type");
    check_tensor("per_row", 1, "bad sections.1.per_row: a boolean, not an integer");
    check_tensor("encoding", "sparse", "bad sections.1.encoding: strings or tensor, not `sparse`");
    check_tensor("name", "ids", "sections named `ids`: 1, not more than 1");
    check_tensor("name", "", "name of section 1: a text");
    check_ids("count", 1, "ids: 2, one per row, not 1");
    check_ids("count", i64::MAX, "limit ids");
    check_ids("name", "names", "section of texts: `ids` at index 0, not `names` at index 0");
}

#[test]
fn a_claim_of_2_to_the_60_elements_is_refused_before_memory_is_taken() {
    let bytes = good(|parts| {
        parts.tensor.insert("shape".to_owned(), ints(&[2, 1 << 59]));
        parts.tensor.insert("length".to_owned(), Value::Int(1 << 60));
    });
    // To have tried would be `OutOfMemory`.
    check(&bytes, "end of section `t`: at most");
}

#[test]
fn sections_in_the_wrong_order_or_number() {
    let mut none = header(0);
    set_sections(&mut none, &[]);
    check(&file(&Value::Map(none).pack(), &[]), "sections: the ids, not none");
    let swapped = good(|Parts { header, ids, tensor }| set_sections(header, &[tensor, ids]));
    check(&swapped, "first section: the ids, not tensor `t`");
    let only_ids = good(|Parts { header, ids, .. }| set_sections(header, &[ids]));
    check(&only_ids, "end of the last section");
    let twice = good(|Parts { header, ids, tensor }| set_sections(header, &[ids, tensor, tensor]));
    check(&twice, "sections named `t`");
    let overlapping = good(|Parts { header, ids, tensor }| {
        let mut other = tensor.clone();
        other.insert("name".to_owned(), "u".into());
        set_sections(header, &[ids, tensor, &other]);
    });
    check(&overlapping, "offset of section `u`");
}

#[track_caller]
fn check_texts(id_bytes: &[u8], expected: &str) {
    check(&with_payloads(id_bytes, &[1, 2, 3, 4, 5, 6], |_| {}), expected);
}

#[test]
fn ids_that_are_none() {
    let table = |offsets: [u64; 3], text: &[u8]| {
        offsets
            .into_iter()
            .flat_map(u64::to_le_bytes)
            .chain(text.iter().copied())
            .collect::<Vec<_>>()
    };
    check_texts(&table([1, 1, 2], b"ab"), "first offset of section `ids`: 0, not 1");
    check_texts(&table([0, 2, 1], b"ab"), "text 1 of section `ids`");
    check_texts(&table([0, 1, 3], b"ab"), "text 1 of section `ids`");
    check_texts(&table([0, u64::MAX, 2], b"ab"), "text 0 of section `ids`");
    check_texts(&table([0, 1, 1], b"ab"), "last offset of section `ids`: 2, not 1");
    check_texts(&table([0, 1, 2], b"a\xff"), "text 1 of section `ids`: UTF-8");
    check_texts(&table([0, 1, 2], "é".as_bytes()), "text 0 of section `ids`: UTF-8");
}

#[test]
fn headers_that_are_none() {
    check(&file(b"", &[]), "bad (all)");
    check(&file(b"\xc0", &[]), "bad (all): one map in MessagePack, not nothing");
    check(&file(b"\x80\xc0", &[]), "bad (all): one map in MessagePack, not 1 bytes after the map");
    check(&file(b"\x80", &[]), "missing version");
    check(&file(&[0xdf, 0xff, 0xff, 0xff, 0xff], &[]), "bad (all)");
    check(&file(&[0x91; 100_000], &[]), "depth limit");
    check(&file(&[b"\x81\xa1k", &*vec![0x91; 1_000_000]].concat(), &[]), "depth limit");
}

#[test]
fn flags_are_refused() {
    let whole = encode(&sample());
    let length = u64::from_le_bytes(whole[16..24].try_into().unwrap()) as usize;
    let mut bytes = preamble((1, 0), 1, &whole[64..64 + length], whole.len() as u64);
    bytes.extend_from_slice(&whole[64..]);
    check(&bytes, "flags of the preamble: at most 0, not 1");
}

#[test]
fn every_limit_holds() {
    let check = |limits, expected| check_limit(&encode(&sample()), limits, expected);
    let limits = Limits::default;
    check(Limits { header_bytes: 100, ..limits() }, "header_bytes");
    check(Limits { header_values: 20, ..limits() }, "header_values");
    check(Limits { sections: 2, ..limits() }, "sections");
    check(Limits { ids: 2, ..limits() }, "ids");
    check(Limits { id_bytes: 32, ..limits() }, "id_bytes");
    check(Limits { tensor_rank: 1, ..limits() }, "tensor_rank");
    check(Limits { total_bytes: 640, ..limits() }, "total_bytes");
    let enough = Limits { sections: 3, ids: 3, tensor_rank: 2, ..limits() };
    assert!(decode_within(&encode(&sample()), &enough).is_ok());
}
