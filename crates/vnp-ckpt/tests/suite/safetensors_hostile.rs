//! safetensors files put together by hand: what contradicts itself is refused.

use std::collections::BTreeMap;
use std::path::Path;

use vnp_ckpt::{Dtype, Error, ErrorKind, Limits, RowRange, Value};

use crate::safetensors::exported;
use crate::support::{decode, decode_within, map, sample, variant};

/// A file with this header and these bytes behind it.
fn file(header: &str, data: &[u8]) -> Vec<u8> {
    [&(header.len() as u64).to_le_bytes()[..], header.as_bytes(), data].concat()
}

/// A header of ours to spoil: one row, `t` u8 [1, 2].
fn ours() -> BTreeMap<&'static str, &'static str> {
    BTreeMap::from([
        ("vnp.version", "1.0"),
        ("vnp.status", "complete"),
        ("vnp.kind", "k"),
        ("vnp.rows", "[4,5]"),
        ("vnp.created", "2026-01-31T23:59:59Z"),
        ("vnp.producer", r#"{"name":"tests","version":"1"}"#),
        ("vnp.sections", r#"[{"name":"ids"},{"name":"t","per_row":true}]"#),
        ("vnp.metadata", "{}"),
        ("vnp.unknown", "{}"),
    ])
}

fn of_ours(metadata: &BTreeMap<&str, &str>) -> Vec<u8> {
    of_ids(metadata, r#""dtype":"I64","shape":[2]"#, &[0, 2], b"id")
}

fn of_ids(metadata: &BTreeMap<&str, &str>, kind: &str, offsets: &[i64], text: &[u8]) -> Vec<u8> {
    let offsets: Vec<u8> = offsets.iter().flat_map(|offset| offset.to_le_bytes()).collect();
    let (a, b) = (offsets.len(), offsets.len() + text.len());
    let header = format!(
        r#"{{"__metadata__":{{{}}},"ids.offsets":{{{kind},"data_offsets":[0,{a}]}},
        "ids.text":{{"dtype":"U8","shape":[{}],"data_offsets":[{a},{b}]}},
        "t":{{"dtype":"U8","shape":[1,2],"data_offsets":[{b},{}]}}}}"#,
        metadata
            .iter()
            .map(|(key, text)| format!("{key:?}:{text:?}"))
            .collect::<Vec<_>>()
            .join(","),
        text.len(),
        b + 2,
    );
    file(&header, &[&offsets, text, &[7, 8]].concat())
}

#[test]
fn a_file_put_together_by_hand_is_read() {
    let read = decode(&of_ours(&ours())).unwrap();
    assert_eq!((read.ids(), read.rows()), (&["id".to_owned()][..], RowRange::new(4, 5)));
    assert_eq!(read.tensor("t").unwrap().as_u8().unwrap(), [7, 8]);
    let unknown = r#"[{"name":"ids","later":1},{"name":"t","per_row":true,"later":[2]}]"#;
    let kept = BTreeMap::from([("vnp.sections", unknown), ("vnp.unknown", r#"{"later":3}"#)]);
    let mut metadata = ours();
    metadata.extend(kept);
    let read = decode(&of_ours(&metadata)).unwrap();
    assert_eq!(read.unknown(), &map([("later", 3.into())]));
    assert_eq!(decode(&exported(&read)).unwrap(), read);
}

/// The limit that is exceeded, or the name of another error.
fn kind_of(error: &Error) -> String {
    match error.kind() {
        ErrorKind::LimitExceeded { limit, .. } => (*limit).to_owned(),
        _ => variant(error),
    }
}

#[track_caller]
fn check_refused(bytes: &[u8], expected: &str) {
    match decode(bytes) {
        Err(error) => {
            assert_eq!(kind_of(&error), expected, "{error}");
            assert_eq!(error.path(), Some(Path::new("a.vnp")));
        }
        Ok(read) => panic!("{expected}: {read:?}"),
    }
}

#[track_caller]
fn check_header(header: &str, expected: &str) {
    check_refused(&file(header, &[0; 8]), expected);
}

/// A file of eight bytes whose one tensor has this description.
#[track_caller]
fn check_tensor(tensor: &str, expected: &str) {
    check_header(&format!(r#"{{"t":{tensor}}}"#), expected);
}

#[test]
fn headers_that_are_none() {
    check_header("{", "BadHeader");
    check_header("{}{}", "BadHeader");
    check_header(r#"{"a":1,"a":1}"#, "BadHeader");
    check_header(r#"{"t":null}"#, "BadHeader");
    check_header(r#"{"__metadata__":[]}"#, "BadHeader");
    check_header(r#"{"__metadata__":{"a":1}}"#, "BadHeader");
    check_header("{\"\\ud800\":1}", "BadHeader");
    check_header(&format!("{{\"a\":{}", "[".repeat(1_000_000)), "BadHeader");
    check_header(&format!("{{\"a\":{}", "{\"a\":".repeat(1_000_000)), "BadHeader");
    check_refused(b"\x02\0\0\0\0\0\0\0{\xff", "BadHeader");
    check_refused(b"\xff\xff\xff\xff\xff\xff\xff\xff{}", "NotACheckpoint");
    check_refused(b"\x03\0\0\0\0\0\0\0{}", "NotACheckpoint");
    check_refused(&file("[]", &[]), "NotACheckpoint");
    let zeros = vec!["0"; 1 << 20].join(",");
    check_header(&format!(r#"{{"t":[{zeros}]}}"#), "header_values");
    check_refused(&file(&format!("{{{}", " ".repeat(17 << 20)), &[]), "header_bytes");
}

#[test]
fn tensors_that_lie() {
    let all = r#"{"dtype":"U8","shape":[8],"data_offsets":[0,8]}"#;
    decode(&file(&format!(r#"{{"t":{all}}}"#), &[0; 8])).unwrap();
    check_tensor(r#"{"dtype":"U8","shape":[8]}"#, "MissingField");
    check_tensor(r#"{"dtype":"U8","data_offsets":[0,8]}"#, "MissingField");
    check_tensor(r#"{"shape":[8],"data_offsets":[0,8]}"#, "MissingField");
    check_tensor(r#"{"dtype":8,"shape":[8],"data_offsets":[0,8]}"#, "BadHeader");
    check_tensor(r#"{"dtype":"U8","shape":8,"data_offsets":[0,8]}"#, "BadHeader");
    check_tensor(r#"{"dtype":"U8","shape":[-8],"data_offsets":[0,8]}"#, "BadHeader");
    check_tensor(r#"{"dtype":"U8","shape":[8.0],"data_offsets":[0,8]}"#, "BadHeader");
    check_tensor(r#"{"dtype":"U8","shape":[8],"data_offsets":[0,8,8]}"#, "BadHeader");
    check_tensor(r#"{"dtype":"U8","shape":[8],"data_offsets":[0]}"#, "BadHeader");
    check_tensor(r#"{"dtype":"F8_E4M3","shape":[8],"data_offsets":[0,8]}"#, "Unsupported");
    check_tensor(r#"{"dtype":"U64","shape":[1],"data_offsets":[0,8]}"#, "Unsupported");
    check_tensor(r#"{"dtype":"u8","shape":[8],"data_offsets":[0,8]}"#, "Unsupported");
    check_tensor(r#"{"dtype":"U8","shape":[7],"data_offsets":[0,8]}"#, "BadTensor");
    check_tensor(r#"{"dtype":"F32","shape":[8],"data_offsets":[0,8]}"#, "BadTensor");
    check_tensor(r#"{"dtype":"U8","shape":[8],"data_offsets":[8,0]}"#, "BadTensor");
    check_tensor(r#"{"dtype":"U8","shape":[4],"data_offsets":[0,4]}"#, "Surplus");
    check_tensor(r#"{"dtype":"U8","shape":[4],"data_offsets":[4,8]}"#, "BadTensor");
    check_tensor(r#"{"dtype":"U8","shape":[9],"data_offsets":[0,9]}"#, "Truncated");
    let huge = r#"{"dtype":"U8","shape":[1099511627776],"data_offsets":[0,1099511627776]}"#;
    check_tensor(huge, "Truncated");
    let above = (1_u64 << 63) - 1;
    let last = format!(r#"{{"dtype":"U8","shape":[{above}],"data_offsets":[0,{above}]}}"#);
    check_tensor(&last, "Truncated");
    let square = 1_u64 << 32;
    let product = format!(r#"{{"dtype":"U8","shape":[{square},{square}],"data_offsets":[0,0]}}"#);
    check_tensor(&product, "BadTensor");
    let nothing = format!(r#"{{"dtype":"U8","shape":[0,{square},{square}],"data_offsets":[0,0]}}"#);
    check_tensor(&nothing, "BadTensor");
    check_tensor(
        r#"{"dtype":"U8","shape":[1,1,1,1,1,1,1,1,8],"data_offsets":[0,8]}"#,
        "tensor_rank",
    );
}

#[test]
fn tensors_that_contradict_each_other() {
    let two = |a: [u64; 2], b: [u64; 2]| {
        let [x, y] = [a, b].map(|[begin, end]| {
            let length = end - begin;
            format!(r#"{{"dtype":"U8","shape":[{length}],"data_offsets":[{begin},{end}]}}"#)
        });
        format!(r#"{{"a":{x},"b":{y}}}"#)
    };
    decode(&file(&two([4, 8], [0, 4]), &[0; 8])).unwrap();
    check_header(&two([0, 5], [4, 8]), "BadTensor");
    check_header(&two([0, 3], [4, 8]), "BadTensor");
    check_header(&two([0, 8], [0, 8]), "BadTensor");
    check_header(&two([0, 8], [2, 4]), "BadTensor");
    check_header(&two([0, 4], [4, 7]), "Surplus");
    let names = r#""dtype":"U8","shape":[8],"data_offsets":[0,8]"#;
    check_header(&format!(r#"{{"ids":{{{names}}}}}"#), "Unsupported");
    check_header(&format!(r#"{{"":{{{names}}}}}"#), "Unsupported");
    check_header(&format!(r#"{{"t":{{{names}}},"t":{{{names}}}}}"#), "BadHeader");
}

#[track_caller]
fn check_metadata(key: &'static str, text: &'static str, expected: &str) {
    let mut metadata = ours();
    metadata.insert(key, text);
    check_refused(&of_ours(&metadata), expected);
}

#[test]
fn descriptions_that_are_none() {
    check_metadata("vnp.version", "1.1", "TooNew");
    check_metadata("vnp.version", "10.0", "TooNew");
    check_metadata("vnp.version", "0.9", "MalformedVersion");
    check_metadata("vnp.version", "", "MalformedVersion");
    check_metadata("vnp.status", "done", "BadHeader");
    check_metadata("vnp.kind", "", "Inconsistent");
    check_metadata("vnp.created", "now", "Inconsistent");
    check_metadata("vnp.rows", "4..5", "BadHeader");
    check_metadata("vnp.rows", "[4]", "BadHeader");
    check_metadata("vnp.rows", "[5,4]", "BadHeader");
    check_metadata("vnp.rows", "[4,6]", "BadTensor");
    check_metadata("vnp.rows", "[0,9223372036854775807]", "BadTensor");
    check_metadata("vnp.producer", "{}", "MissingField");
    check_metadata("vnp.producer", "[]", "BadHeader");
    check_metadata("vnp.metadata", "[]", "BadHeader");
    check_metadata("vnp.metadata", r#"{"a":{"$float":1}}"#, "BadHeader");
    check_metadata("vnp.unknown", r#"{"status":1}"#, "Inconsistent");
    check_metadata("vnp.sections", "[]", "BadHeader");
    check_metadata("vnp.sections", r#"[{"name":"ids"}]"#, "BadHeader");
    check_metadata("vnp.sections", r#"[{"name":"t","per_row":true}]"#, "BadHeader");
    check_metadata("vnp.sections", r#"[{"name":"ids"},{"name":"t"}]"#, "MissingField");
    check_metadata("vnp.sections", r#"[{"name":"ids"},{"name":"u","per_row":true}]"#, "BadHeader");
    check_metadata(
        "vnp.sections",
        r#"[{"name":"ids"},{"name":"t","per_row":true},{"name":"t","per_row":true}]"#,
        "BadHeader",
    );
    for missing in ours().into_keys().filter(|key| *key != "vnp.version") {
        let mut metadata = ours();
        metadata.remove(missing);
        check_refused(&of_ours(&metadata), "MissingField");
    }
    let deep = format!("{{\"a\":{}{}}}", "[".repeat(31), "]".repeat(31));
    let metadata = ours().into_iter().map(|(key, text)| match key {
        "vnp.metadata" => (key, deep.as_str()),
        _ => (key, text),
    });
    check_refused(&of_ours(&metadata.collect()), "Inconsistent");
}

#[test]
fn ids_that_are_none() {
    let check = |kind: &str, offsets: &[i64], text: &[u8], expected: &str| {
        check_refused(&of_ids(&ours(), kind, offsets, text), expected);
    };
    let right = r#""dtype":"I64","shape":[2]"#;
    check(right, &[1, 2], b"id", "Inconsistent");
    check(right, &[0, 1], b"id", "Inconsistent");
    check(right, &[0, 3], b"id", "Inconsistent");
    check(right, &[0, -1], b"id", "Inconsistent");
    check(right, &[0, i64::MAX], b"id", "Inconsistent");
    check(right, &[0, 2], b"\xff\xfe", "Inconsistent");
    check(r#""dtype":"F64","shape":[2]"#, &[0, 2], b"id", "BadTensor");
    check(r#""dtype":"I64","shape":[1,2]"#, &[0, 2], b"id", "BadTensor");
    check(r#""dtype":"I64","shape":[3]"#, &[0, 1, 2], b"id", "BadTensor");
    let bytes = of_ours(&ours());
    let within = |limits: Limits| kind_of(&decode_within(&bytes, &limits).unwrap_err());
    assert_eq!(within(Limits { id_bytes: 17, ..Limits::default() }), "id_bytes");
    assert_eq!(within(Limits { sections: 3, ..Limits::default() }), "sections");
    assert_eq!(within(Limits { ids: 0, ..Limits::default() }), "ids");
    assert_eq!(within(Limits { total_bytes: 64, ..Limits::default() }), "total_bytes");
    assert_eq!(within(Limits { header_bytes: 64, ..Limits::default() }), "header_bytes");
}

#[test]
fn every_cut_is_seen() {
    let whole = exported(&sample());
    for length in 0..whole.len() {
        let error = decode(&whole[..length]).unwrap_err();
        assert!(error.is_corrupted(), "cut at {length}: {error}");
    }
    let longer = [&whole[..], b"\0"].concat();
    check_refused(&longer, "Surplus");
}

#[test]
fn a_changed_file_never_panics() {
    let whole = exported(&sample());
    let header = 8 + u64::from_le_bytes(whole[..8].try_into().unwrap()) as usize;
    for bit in 0..header * 8 {
        let mut bytes = whole.clone();
        bytes[bit / 8] ^= 1 << (bit % 8);
        drop(decode(&bytes));
    }
}

#[test]
fn every_dtype_has_its_name() {
    for dtype in Dtype::ALL {
        let name = dtype.name().to_uppercase();
        let length = dtype.size_bytes();
        let header =
            format!(r#"{{"t":{{"dtype":{name:?},"shape":[],"data_offsets":[0,{length}]}}}}"#);
        let read = decode(&file(&header, &vec![1; length])).unwrap();
        assert_eq!(read.tensor("t").unwrap().dtype(), dtype);
        assert_eq!(read.metadata(), &BTreeMap::<String, Value>::new());
    }
}
