//! Every fixture of every released version opens with the values written down for it.
//!
//! Driven by the folder: a new file is a new case, and one without expected values fails.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use fs_err as fs;
use sha2::{Digest as _, Sha256};
use vnp_ckpt::{Checkpoint, Encoding, ErrorKind, Format, Header, Limits, Value};

use crate::support::{encode, fixtures, hex};

/// The folders of fixtures, one for each released version.
const VERSIONS: [&str; 1] = ["v1.0"];

fn files(version: &str) -> Vec<PathBuf> {
    let mut paths = every_form(version);
    paths.retain(|path| Format::of_path(path) == Some(Format::Native));
    paths
}

/// The fixtures and their exports.
fn every_form(version: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(fixtures().join(version)).unwrap();
    let mut paths: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| Format::of_path(path).is_some());
    paths.sort();
    paths
}

pub(crate) fn name(path: &Path) -> String {
    path.file_name().unwrap().to_str().unwrap().to_owned()
}

/// `file -> (what -> value)`, from the table beside the fixtures.
pub(crate) fn expected(version: &str) -> BTreeMap<String, BTreeMap<String, String>> {
    let text = fs::read_to_string(fixtures().join(version).join("expected.tsv")).unwrap();
    let mut files = BTreeMap::<_, BTreeMap<_, _>>::new();
    for line in text.lines() {
        let [file, what, value] = line.split('\t').collect::<Vec<_>>()[..] else {
            panic!("not three columns: {line}")
        };
        let before = files.entry(file.to_owned()).or_default().insert(what.into(), value.into());
        assert_eq!(before, None, "twice: {line}");
    }
    files
}

/// Everything a fixture holds, in the words of the table.
pub(crate) fn found(header: &Header, checkpoint: &Checkpoint) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    let mut add = |what: String, value: String| assert_eq!(found.insert(what, value), None);
    add("version".into(), checkpoint.version().to_string());
    add("status".into(), checkpoint.status().to_string());
    add("kind".into(), checkpoint.kind().into());
    add("rows".into(), checkpoint.rows().to_string());
    add("created".into(), checkpoint.created().into());
    add("producer.name".into(), checkpoint.producer().name.clone());
    add("producer.version".into(), checkpoint.producer().version.clone());
    for (index, id) in checkpoint.ids().iter().enumerate() {
        add(format!("id.{index}"), hex(id.as_bytes()));
    }
    for section in &header.sections {
        let Encoding::Tensor { dtype, shape, per_row } = &section.encoding else {
            continue;
        };
        let tensor = checkpoint.tensor(&section.name).unwrap();
        assert_eq!((tensor.dtype(), tensor.shape()), (*dtype, shape.as_slice()));
        let shape: Vec<_> = shape.iter().map(usize::to_string).collect();
        add(format!("tensor.{}.dtype", section.name), dtype.to_string());
        add(format!("tensor.{}.shape", section.name), shape.join("x"));
        add(format!("tensor.{}.per_row", section.name), per_row.to_string());
        add(format!("tensor.{}.bytes", section.name), hex(tensor.bytes()));
    }
    for (key, value) in checkpoint.metadata() {
        describe(&format!("metadata.{key}"), value, &mut add);
    }
    for (key, value) in checkpoint.unknown() {
        describe(&format!("unknown.{key}"), value, &mut add);
    }
    found
}

fn describe(place: &str, value: &Value, add: &mut impl FnMut(String, String)) {
    let text = match value {
        Value::Null => "null".to_owned(),
        Value::Bool(value) => format!("bool {value}"),
        Value::Int(value) => format!("int {value}"),
        Value::Float(value) => format!("float {:016x}", value.to_bits()),
        Value::String(value) => format!("string {}", hex(value.as_bytes())),
        Value::Bytes(value) => format!("bytes {}", hex(value)),
        Value::List(list) => {
            for (index, value) in list.iter().enumerate() {
                describe(&format!("{place}.{index}"), value, add);
            }
            format!("list {}", list.len())
        }
        Value::Map(map) => {
            for (key, value) in map {
                describe(&format!("{place}.{key}"), value, add);
            }
            format!("map {}", map.len())
        }
    };
    add(place.to_owned(), text);
}

#[test]
fn every_fixture_has_the_values_written_down() {
    for version in VERSIONS {
        let mut expected = expected(version);
        let files = files(version);
        assert!(files.len() >= 10, "{version} has only {} fixtures", files.len());
        for path in files {
            let header = vnp_ckpt::read_header(&path, &Limits::default()).unwrap();
            let checkpoint = vnp_ckpt::load_with_compatibility(&path, &Limits::default()).unwrap();
            let expected = expected.remove(&name(&path));
            assert_eq!(Some(found(&header, &checkpoint)), expected, "{}", path.display());
        }
        assert!(expected.is_empty(), "values without a file: {:?}", expected.keys());
    }
}

#[test]
fn fixtures_never_change() {
    for version in VERSIONS {
        let sums = fs::read_to_string(fixtures().join(version).join("SHA256SUMS")).unwrap();
        let sums: Vec<_> = sums.lines().map(|line| line.split_once("  ").unwrap()).collect();
        let found: Vec<_> = every_form(version)
            .iter()
            .map(|path| (hex(&Sha256::digest(fs::read(path).unwrap())), name(path)))
            .collect();
        let found: Vec<_> = found.iter().map(|(sum, name)| (sum.as_str(), name.as_str())).collect();
        let mut sorted = sums.clone();
        sorted.sort_by_key(|(_, name)| *name);
        assert_eq!(sorted, found);
    }
}

#[test]
fn fixtures_of_the_current_version_save_as_the_same_bytes() {
    for path in files(VERSIONS[VERSIONS.len() - 1]) {
        let checkpoint = vnp_ckpt::load_with_compatibility(&path, &Limits::default()).unwrap();
        assert_eq!(encode(&checkpoint), fs::read(&path).unwrap(), "{}", path.display());
    }
}

/// Another form of a fixture is the same checkpoint, and comes out again byte for byte.
#[test]
fn every_form_of_a_fixture_is_the_same_checkpoint() {
    let directory = tempfile::tempdir().unwrap();
    for version in VERSIONS {
        let forms = every_form(version);
        assert_eq!(forms.len(), files(version).len() * Format::ALL.len());
        for path in forms {
            let native = path.with_extension(Format::Native.extension());
            let native = vnp_ckpt::load_with_compatibility(&native, &Limits::default()).unwrap();
            let read = vnp_ckpt::load_with_compatibility(&path, &Limits::default());
            let read = match read.map_err(vnp_ckpt::Error::into_kind) {
                // A feature of the crate is off.
                Err(ErrorKind::Unsupported { .. }) => continue,
                read => read.unwrap(),
            };
            assert_eq!(read, native, "{}", path.display());
            let again = directory.path().join(name(&path));
            Format::of_path(&path).unwrap().save(&again, &read).unwrap();
            assert!(fs::read(again).unwrap() == fs::read(&path).unwrap(), "{}", path.display());
        }
    }
}
