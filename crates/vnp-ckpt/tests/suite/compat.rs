//! Every fixture of every released version opens with the values written down for it.
//!
//! Driven by the folder: a new file is a new case, and one without expected values fails.

use std::collections::BTreeMap;
use std::path::PathBuf;

use fs_err as fs;
use vnp_ckpt::{Checkpoint, Encoding, ErrorKind, Format, Header, Limits};

use crate::support::{actual_sums, encode, fixtures, known_sums, name};
use crate::tables::{describe, rows};

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

/// `file -> (what -> value)`, from the table beside the fixtures.
pub(crate) fn expected(version: &str) -> BTreeMap<String, BTreeMap<String, String>> {
    let text = fs::read_to_string(fixtures().join(version).join("expected.tsv")).unwrap();
    let mut files = BTreeMap::<_, BTreeMap<_, _>>::new();
    for [file, what, value] in rows(&text).expect("three columns in every line") {
        let before = files.entry(file.to_owned()).or_default().insert(what.into(), value.into());
        assert_eq!(before, None, "{file}: {what} is there twice");
    }
    files
}

/// Everything a fixture holds, in the words of the table.
pub(crate) fn found(header: &Header, checkpoint: &Checkpoint) -> BTreeMap<String, String> {
    let mut per_row_tensors = BTreeMap::new();
    for section in &header.sections {
        let Encoding::Tensor { dtype, shape, per_row } = &section.encoding else {
            continue;
        };
        let tensor = checkpoint.tensor(&section.name).unwrap();
        assert_eq!((tensor.dtype(), tensor.shape()), (*dtype, shape.as_slice()));
        per_row_tensors.insert(section.name.as_str(), *per_row);
    }
    assert_eq!(per_row_tensors.len(), checkpoint.tensors().len());
    let rows = describe(checkpoint, |tensor| per_row_tensors[tensor]);
    let count = rows.len();
    let found: BTreeMap<_, _> = rows.into_iter().collect();
    assert_eq!(found.len(), count, "a name is there twice");
    found
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
        let mut known = known_sums(version);
        known.sort_by(|(_, a), (_, b)| a.cmp(b));
        assert_eq!(known, actual_sums(&every_form(version)));
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
