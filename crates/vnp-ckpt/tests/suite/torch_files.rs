//! Files that PyTorch wrote hold what PyTorch says they hold, bit for bit.

use std::collections::BTreeMap;

use fs_err as fs;
use vnp_ckpt::{Checkpoint, ErrorKind, Integrity, Limits};

use crate::compat::{expected, found};
use crate::support::{actual_sums, decode, encode, fixtures, known_sums, name, variant};
use crate::tables::sha256;

/// Longer tensors are compared by their SHA-256.
const LONGEST_BYTES: usize = 1024;

fn files() -> Vec<std::path::PathBuf> {
    let entries = fs::read_dir(fixtures().join("torch")).unwrap();
    let mut paths: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| {
        path.extension().is_some_and(|extension| extension == "pt" || extension == "pth")
    });
    paths.sort();
    paths
}

/// What a file holds in the words of the table, or the error's name.
fn described(path: &std::path::Path) -> BTreeMap<String, String> {
    let opened = Checkpoint::open(path, &Limits::default());
    let loaded = opened.and_then(|file| {
        let header = file.header().clone();
        Ok((header, file.load()?))
    });
    let (header, checkpoint) = match loaded {
        Ok(loaded) => loaded,
        Err(error) => {
            assert!(error.is_corrupted() || error.is_incompatible(), "{error:?}");
            return BTreeMap::from([("error".to_owned(), variant(&error))]);
        }
    };
    let mut found = found(&header, &checkpoint);
    assert_eq!(found.remove("producer.name").as_deref(), Some("PyTorch"));
    assert_eq!(found.remove("producer.version").as_deref(), Some(""));
    assert!(found.remove("created").unwrap().ends_with('Z'));
    for (tensor, data) in checkpoint.tensors() {
        if data.bytes().len() > LONGEST_BYTES {
            found.remove(&format!("tensor.{tensor}.bytes"));
            let sum = sha256(data.bytes());
            found.insert(format!("tensor.{tensor}.sha256"), sum);
        }
    }
    found
}

#[test]
fn every_file_holds_what_pytorch_finds() {
    let mut expected = expected("torch");
    let files = files();
    assert!(files.len() >= 45, "{}", files.len());
    let mut wrong = Vec::new();
    for path in files {
        let (found, expected) = (described(&path), expected.remove(&name(&path)).unwrap());
        if found != expected {
            let missing = expected.iter().filter(|&(what, value)| found.get(what) != Some(value));
            let surplus = found.iter().filter(|&(what, value)| expected.get(what) != Some(value));
            wrong.push(format!(
                "{}\n  expected {:?}\n  found    {:?}",
                name(&path),
                missing.collect::<Vec<_>>(),
                surplus.collect::<Vec<_>>()
            ));
        }
    }
    assert!(expected.is_empty(), "values without a file: {:?}", expected.keys());
    assert!(wrong.is_empty(), "{} files:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn files_never_change() {
    assert_eq!(known_sums("torch"), actual_sums(&files()));
}

#[test]
fn what_proves_the_payloads() {
    for path in files() {
        let Ok(file) = Checkpoint::open(&path, &Limits::default()) else { continue };
        let name = name(&path);
        let legacy = name.contains("legacy") || name == "nocrc.pt";
        let expected = if legacy { Integrity::Unverified } else { Integrity::Crc32 };
        assert_eq!(file.integrity(), expected, "{name}");
    }
}

#[test]
fn a_tensor_by_name_is_the_loaded_one() {
    for path in files() {
        let load = || Checkpoint::open(&path, &Limits::default());
        let Ok(mut file) = load() else { continue };
        file.verify().unwrap();
        let whole = load().unwrap().load().unwrap();
        for (tensor, data) in whole.tensors() {
            assert_eq!(file.tensor(tensor).unwrap().as_ref(), Some(data), "{tensor}");
        }
        assert_eq!(file.ids().unwrap(), whole.ids());
        assert!(file.tensor("no such tensor").unwrap().is_none());
    }
}

#[test]
fn a_whole_module_and_its_state_dict_are_the_same() {
    let load = |name: &str| {
        let path = fixtures().join("torch").join(name);
        vnp_ckpt::load_with_compatibility(&path, &Limits::default()).unwrap()
    };
    for (module, state_dict) in
        [("head.pth", "head_state_dict.pth"), ("mlp_whole_module.pth", "mlp_state_dict.pth")]
    {
        let (module, state_dict) = (load(module), load(state_dict));
        let all = |checkpoint: &Checkpoint| {
            let tensors = checkpoint.tensors().map(|(name, data)| (name.to_owned(), data.clone()));
            tensors.collect::<BTreeMap<_, _>>()
        };
        assert_eq!(all(&module).len(), 9);
        assert_eq!(all(&module), all(&state_dict));
    }
}

#[test]
fn old_files_save_as_files_of_this_version() {
    for path in files() {
        let Ok(mut old) = vnp_ckpt::load_with_compatibility(&path, &Limits::default()) else {
            continue;
        };
        let new = decode(&encode(&old)).unwrap();
        assert_eq!(new.version().to_string(), "1.0");
        assert_eq!((new.ids(), new.rows()), (old.ids(), old.rows()));
        assert_eq!(new.metadata(), old.metadata());
        assert!(new.tensors().eq(old.tensors()));
        // Once it is of this version, it stays as it is.
        old = decode(&encode(&new)).unwrap();
        assert_eq!(new, old);
    }
}

#[test]
fn a_missing_file_tells_nothing_about_its_contents() {
    let read = Checkpoint::open(&fixtures().join("torch/none.pt"), &Limits::default());
    let error = read.unwrap_err();
    let ErrorKind::Io { .. } = error.kind() else { panic!("{error:?}") };
    assert!(!error.is_corrupted() && !error.is_incompatible());
}
