//! PyTorch itself reads what is exported, bit for bit, and everybody's ZIP opens it.

use std::fmt::Write as _;
use std::process::Command;

use fs_err as fs;
use vnp_ckpt::{Checkpoint, Encoding, RowRange, Tensor, Value, export_torch};

use crate::exports::{cases, native_fixtures};
use crate::support::{builder, decode, map, python, sample, written};
use crate::tables::{hex, type_and_value};

/// Prints what a file holds as `describe` does below; fails where the top level is not what the
/// Python tools continue from.
const DESCRIBE: &str = r#"
import struct, sys, torch, zipfile
NAMES = {torch.float32: "f32", torch.float16: "f16", torch.bfloat16: "bf16", torch.float64: "f64", torch.int64: "i64",
         torch.int32: "i32", torch.int16: "i16", torch.int8: "i8", torch.uint8: "u8", torch.bool: "bool"}
def bits(tensor):
    return tensor.contiguous().flatten().view(torch.uint8).numpy().tobytes().hex()
def narrowed(number):
    bits, = struct.unpack("<Q", struct.pack("<d", number))
    if number != number:
        return struct.pack("<I", bits >> 63 << 31 | 0x7f800000 | bits >> 29 & 0x7fffff)
    return struct.pack("<f", number)
def value(x):
    if x is None: return "null"
    if isinstance(x, bool): return "bool %s" % str(x).lower()
    if isinstance(x, int): return "int %d" % x
    if isinstance(x, float): return "float %016x" % struct.unpack("<Q", struct.pack("<d", x))
    if isinstance(x, str): return "string " + x.encode().hex()
    if isinstance(x, bytes): return "bytes " + x.hex()
    if isinstance(x, list): return "[%s]" % ", ".join(map(value, x))
    return "{%s}" % ", ".join("%s: %s" % (k.encode().hex(), value(x[k])) for k in sorted(x, key=str.encode))
def describe(path):
    assert zipfile.ZipFile(path).testzip() is None
    top = torch.load(path, weights_only=True)
    rest = top["vnp"]
    assert rest["format"] == 1 and top["version"] == "1.0", rest
    lines = ["kind %s" % rest["kind"], "status %s" % top["status"], "rows %d..%d" % tuple(rest["rows"]),
             "created %s" % rest["created"], "producer " + value(rest["producer"]),
             "metadata " + value(rest["metadata"]), "unknown " + value(rest["unknown"])]
    key = next(k for k in ("nucleotide", "proteins", "ids") if k in top)
    ids = top[key]
    lines += ["id " + i.encode().hex() for i in ids]
    for name, entry in rest["tensors"].items():
        found = entry["tensor"] if "tensor" in entry else top[entry["at"]]
        if isinstance(found, list) and key == "nucleotide":
            assert [row["label"] for row in found] == ids and set(map(len, found)) <= {2}
            assert entry["dtype"] == "f32" and entry["at"] == "data"
            data = b"".join(narrowed(x) for row in found for x in row["mean_representation"]).hex()
            assert all(len(row["mean_representation"]) == entry["shape"][1] for row in found)
        elif isinstance(found, list):
            assert all(list(row.shape) == entry["shape"][1:] for row in found) and entry["at"] == "data"
            assert all(NAMES[row.dtype] == entry["dtype"] for row in found)
            data = "".join(map(bits, found))
        else:
            assert NAMES[found.dtype] == entry["dtype"] and list(found.shape) == entry["shape"] and found.is_contiguous()
            data = bits(found)
        lines.append("tensor %s %s %s %s %s" % (name.encode().hex(), entry["dtype"], "x".join(map(str, entry["shape"])),
                     str(entry["per_row"]).lower(), data))
    return "\n".join(lines) + "\n"
for path in sys.argv[1:]:
    expected = open(path[:-3] + ".txt").read()
    found = describe(path)
    assert found == expected, "%s\n%s\n%s" % (path, found, expected)
print("read", len(sys.argv) - 1)
"#;

fn value(of: &Value) -> String {
    match of {
        Value::List(list) => {
            format!("[{}]", list.iter().map(value).collect::<Vec<_>>().join(", "))
        }
        Value::Map(map) => {
            let entry = |(key, found): (&String, &Value)| {
                format!("{}: {}", hex(key.as_bytes()), value(found))
            };
            format!("{{{}}}", map.iter().map(entry).collect::<Vec<_>>().join(", "))
        }
        other => type_and_value(other),
    }
}

/// What Python must find.
fn describe(checkpoint: &Checkpoint, per_row: &[bool]) -> String {
    let producer = checkpoint.producer();
    let producer =
        map([("name", (&*producer.name).into()), ("version", (&*producer.version).into())]);
    let mut text = format!(
        "kind {}\nstatus {}\nrows {}\ncreated {}\nproducer {}\nmetadata {}\nunknown {}\n",
        checkpoint.kind(),
        checkpoint.status(),
        checkpoint.rows(),
        checkpoint.created(),
        value(&producer.into()),
        value(&checkpoint.metadata().clone().into()),
        value(&checkpoint.unknown().clone().into()),
    );
    for id in checkpoint.ids() {
        writeln!(text, "id {}", hex(id.as_bytes())).unwrap();
    }
    for ((name, tensor), per_row) in checkpoint.tensors().zip(per_row) {
        let shape: Vec<_> = tensor.shape().iter().map(usize::to_string).collect();
        let (name, dtype, shape) = (hex(name.as_bytes()), tensor.dtype(), shape.join("x"));
        let bytes = hex(tensor.bytes());
        writeln!(text, "tensor {name} {dtype} {shape} {per_row} {bytes}").unwrap();
    }
    text
}

/// Whether each tensor is one row a row, by what a native save says.
fn per_row(checkpoint: &Checkpoint) -> Vec<bool> {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("a.vnp");
    vnp_ckpt::atomic_save(&path, checkpoint).unwrap();
    let header = vnp_ckpt::read_header(&path, &Default::default()).unwrap();
    let sections = header.sections.iter().skip(1);
    sections
        .map(|section| matches!(section.encoding, Encoding::Tensor { per_row: true, .. }))
        .collect()
}

#[test]
fn torch_reads_the_same_bits() {
    let Some(python) = python("torch, numpy") else { return };
    let directory = tempfile::tempdir().unwrap();
    let mut command = Command::new(python);
    command.args(["-c", DESCRIBE]);
    for (name, checkpoint) in cases() {
        let path = directory.path().join(format!("{name}.pt"));
        export_torch(&path, &checkpoint).unwrap();
        let expected = describe(&checkpoint, &per_row(&checkpoint));
        fs::write(directory.path().join(format!("{name}.txt")), expected).unwrap();
        command.arg(path);
    }
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(String::from_utf8_lossy(&output.stdout).starts_with("read "));
}

fn exported(name: &str, checkpoint: &Checkpoint) -> Vec<u8> {
    written(name, |path| export_torch(path, checkpoint))
}

/// The records of an archive: name, contents, place of the contents; read from its central
/// directory by hand.
fn records(bytes: &[u8]) -> Vec<(String, Vec<u8>, usize)> {
    let u16_at = |at: usize| usize::from(u16::from_le_bytes(bytes[at..at + 2].try_into().unwrap()));
    let u32_at = |at: usize| u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap()) as usize;
    let end = bytes.len() - 22;
    assert_eq!(bytes[end..end + 4], *b"PK\x05\x06");
    assert_eq!(bytes[end - 20..end - 16], *b"PK\x06\x07");
    assert_eq!(bytes[end - 76..end - 72], *b"PK\x06\x06");
    let mut at = u32_at(end + 16);
    let mut records = Vec::new();
    for _ in 0..u16_at(end + 10) {
        assert_eq!(bytes[at..at + 4], *b"PK\x01\x02");
        let (stored, date) = (u16_at(at + 10), u16_at(at + 14));
        assert_eq!((stored, date), (0, 33));
        let (length, local) = (u32_at(at + 24), u32_at(at + 42));
        let name = &bytes[at + 46..at + 46 + u16_at(at + 28)];
        assert_eq!(bytes[local..local + 4], *b"PK\x03\x04");
        assert_eq!(bytes[local + 14..local + 26], bytes[at + 16..at + 28], "CRC and lengths");
        let start = local + 30 + u16_at(local + 26) + u16_at(local + 28);
        let contents = bytes[start..start + length].to_vec();
        records.push((String::from_utf8(name.to_vec()).unwrap(), contents, start));
        at += 46 + u16_at(at + 28) + u16_at(at + 30);
    }
    assert_eq!(at, end - 76);
    records
}

#[test]
fn the_archive_is_what_torch_writes() {
    let checkpoint = Checkpoint::builder("merged")
        .rows(RowRange::new(0, 2))
        .ids(vec!["a".into(), "b".into()])
        .tensor("data", Tensor::from_f32([2, 3], vec![1.0; 6]).unwrap())
        .free_tensor("weight", Tensor::from_i8([1], vec![-1]).unwrap())
        .created("2026-01-31T23:59:59Z".into())
        .build()
        .unwrap();
    let bytes = exported("a.b.pt", &checkpoint);
    assert_eq!(bytes, exported("a.b.pt", &checkpoint), "the same bytes at any time");
    let records = records(&bytes);
    let names: Vec<_> = records.iter().map(|(name, ..)| name.as_str()).collect();
    assert_eq!(names, ["a.b/data.pkl", "a.b/byteorder", "a.b/data/0", "a.b/data/1", "a.b/version"]);
    assert!(records.iter().all(|(_, _, start)| start % 64 == 0));
    let contents: Vec<_> = records.iter().map(|(_, contents, _)| contents.as_slice()).collect();
    let ones = 1.0_f32.to_le_bytes().repeat(6);
    assert_eq!(contents[1..], [&b"little"[..], &ones, &[255], b"3\n"]);
    let start = b"\x80\x02}(X\x03\0\0\0ids](X\x01\0\0\0aX\x01\0\0\0beX\x04\0\0\0data";
    assert!(contents[0].starts_with(start) && contents[0].ends_with(b"uu."));
}

#[track_caller]
fn check_root(name: &str, expected: &str) {
    let records = records(&exported(name, &sample()));
    assert_eq!(records[0].0, format!("{expected}/data.pkl"), "{name}");
}

#[test]
fn the_root_is_the_stem_where_that_is_plain() {
    check_root("a.pt", "a");
    check_root("output_0.v1.pt", "output_0.v1");
    check_root("a", "a");
    check_root(".pt", "archive");
    check_root("...pt", "archive");
    check_root("ä.pt", "archive");
    check_root("a b.pt", "archive");
    check_root("a\\b.pt", "archive");
}

#[test]
fn zipfile_opens_it() {
    let Some(python) = python("zipfile") else { return };
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("a.pt");
    export_torch(&path, &sample()).unwrap();
    let output = Command::new(python).args(["-m", "zipfile", "-t"]).arg(&path).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(!String::from_utf8_lossy(&output.stdout).contains("CRC"));
}

#[track_caller]
fn check(name: &str, checkpoint: &Checkpoint) {
    let bytes = exported("a.pt", checkpoint);
    let read = decode(&bytes).unwrap_or_else(|error| panic!("{name}: {error}"));
    assert_eq!(&read, checkpoint, "{name}");
    assert_eq!(exported("a.pt", &read), bytes, "{name}: the same bytes again");
}

#[test]
fn what_is_exported_is_what_is_loaded() {
    cases().iter().for_each(|(name, checkpoint)| check(name, checkpoint));
}

#[test]
fn every_fixture_comes_back() {
    native_fixtures().iter().for_each(|(name, checkpoint)| check(name, checkpoint));
}

/// A file with other bytes, as many, in its pickle, and the right CRC.
fn spoiled(checkpoint: &Checkpoint, from: &[u8], to: &[u8]) -> Vec<u8> {
    assert_eq!(from.len(), to.len());
    let mut bytes = exported("a.pt", checkpoint);
    let (_, pickle, start) = records(&bytes).remove(0);
    let place = pickle.windows(from.len()).position(|window| window == from);
    let place = start + place.unwrap_or_else(|| panic!("no {}", from.escape_ascii()));
    bytes[place..place + to.len()].copy_from_slice(to);
    let crc = |bytes: &[u8]| crc32fast::hash(bytes).to_le_bytes();
    let (old, new) = (crc(&pickle), crc(&bytes[start..start + pickle.len()]));
    let places: Vec<_> =
        (0..bytes.len() - 4).filter(|&place| bytes[place..place + 4] == old).collect();
    assert_eq!(places.len(), 2);
    places.into_iter().for_each(|place| bytes[place..place + 4].copy_from_slice(&new));
    bytes
}

#[track_caller]
fn check_refused(from: &[u8], to: &[u8], expected: &str) {
    let checkpoint = builder()
        .tensor("embedding", Tensor::from_f32([3, 2], vec![0.5; 6]).unwrap())
        .tensor("status", Tensor::from_u8([3], vec![0, 1, 2]).unwrap())
        .unknown("statut", 1)
        .build()
        .unwrap();
    decode(&spoiled(&checkpoint, b"vnp", b"vnp")).unwrap();
    match decode(&spoiled(&checkpoint, from, to)) {
        Err(error) => assert!(error.to_string().contains(expected), "{error}"),
        Ok(read) => panic!("{expected}: {read:?}"),
    }
}

#[test]
fn exports_that_contradict_themselves_are_refused() {
    check_refused(b"formatK\x01", b"formatK\x02", "an export of format 2 is not supported");
    check_refused(b"X\x04\0\0\0kind", b"X\x04\0\0\0kinD", "no field `vnp.kind`");
    check_refused(b"K\x08K\x0be", b"K\x08K\x0ce", "expected 4, one per row, found 3");
    check_refused(b"K\x08K\x0be", b"K\x0bK\x08e", "an end not before the start");
    check_refused(b"f32", b"f16", "expected f16 [3, 2], found f32 [3, 2]");
    check_refused(b"f32", b"f33", "`f33` is no element type");
    check_refused(b"](K\x03K\x02e", b"](K\x02K\x03e", "expected f32 [2, 3], found f32 [3, 2]");
    check_refused(b"label", b"lable", "no field `label`");
    check_refused(b"](K\x03K\x02e", b"](K\x00K\x02e", "rows of tensor `embedding`");
    check_refused(b"statut", b"status", "a name that is not taken");
    check_refused(b"1.0", b"1.1", "newer");
}

#[test]
fn what_torch_cannot_count_is_not_written() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("a.pt");
    let tensor = Tensor::from_u8([1 << 63, 0], vec![]).unwrap();
    let checkpoint = Checkpoint::builder("k").free_tensor("t", tensor).build().unwrap();
    let error = export_torch(&path, &checkpoint).unwrap_err();
    let vnp_ckpt::ErrorKind::Inconsistent { subject, .. } = error.kind() else {
        panic!("{error:?}")
    };
    assert_eq!((error.path(), subject.as_str()), (Some(&*path), "shape of tensor `t`"));
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 0);
}
