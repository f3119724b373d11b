//! `cargo xtask fixtures`: one file for each thing that a checkpoint may hold, and a table of what
//! a reader must find in it; hostile files, and the error of each. Only missing ones are written.

mod cases;
mod folder;
mod hostile;
#[expect(dead_code, reason = "the tests that read the tables use the rest")]
#[path = "../../crates/vnp-ckpt/tests/suite/tables.rs"]
mod tables;

use std::path::Path;

use anyhow::Context;
use fs_err as fs;
use vnp_ckpt::{CHECKPOINT_VERSION, Format};

use folder::Folder;
use tables::describe;

/// Writes what is missing below `tests/fixtures` and says so on stderr.
#[expect(clippy::print_stderr, reason = "a chore reports to who runs it")]
pub(crate) fn run(root: &Path) -> anyhow::Result<()> {
    for (name, folder) in folders()? {
        let written = folder.write_missing(&root.join("tests/fixtures").join(&name))?;
        for file in &written {
            eprintln!("wrote {file}");
        }
        let existing = folder.files.len() - written.len();
        eprintln!("{name}: {} fixtures written, {existing} were there", written.len());
    }
    Ok(())
}

/// The folders below `tests/fixtures` that are written here, by name.
fn folders() -> anyhow::Result<[(String, Folder); 2]> {
    Ok([(format!("v{CHECKPOINT_VERSION}"), checkpoints()?), ("hostile".to_owned(), attacks())])
}

/// The checkpoints of the current version.
fn checkpoints() -> anyhow::Result<Folder> {
    let directory = tempfile::tempdir()?;
    let (mut files, mut table) = (Vec::new(), String::new());
    for (name, checkpoint) in cases::all()? {
        let path = directory.path().join(&name);
        let format = Format::of_path(&path).with_context(|| format!("{name} has no format"))?;
        format.save(&path, &checkpoint)?;
        // The other formats hold the same.
        if format == Format::Native {
            for (what, value) in describe(&checkpoint, |name| !name.starts_with(cases::FREE)) {
                table.push_str(&format!("{name}\t{what}\t{value}\n"));
            }
        }
        files.push((name, fs::read(&path)?));
    }
    Ok(Folder { files, table, is_released: true })
}

/// The hostile files.
fn attacks() -> Folder {
    let (mut files, mut table) = (Vec::new(), "file\terror\tmessage holds\tattack\n".to_owned());
    for hostile::Case { file, error, fragment, attack, bytes } in hostile::all() {
        table.push_str(&format!("{file}\t{error}\t{fragment}\t{attack}\n"));
        files.push((file, bytes));
    }
    Folder { files, table, is_released: false }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_committed_comes_out_again_byte_for_byte() {
        for (folder_name, folder) in folders().unwrap() {
            let directory = tempfile::tempdir().unwrap();
            let names = folder.write_missing(directory.path()).unwrap();
            assert_eq!(names.len(), folder.files.len());
            let committed = crate::root().join("tests/fixtures").join(folder_name);
            for name in names.iter().map(String::as_str).chain(["expected.tsv", "SHA256SUMS"]) {
                let fresh = fs::read(directory.path().join(name)).unwrap();
                assert!(fresh == fs::read(committed.join(name)).unwrap(), "{name} differs");
            }
            assert!(folder.write_missing(directory.path()).unwrap().is_empty());
        }
    }

    #[test]
    fn a_fixture_that_was_changed_is_not_touched() {
        for (_, folder) in folders().unwrap() {
            let directory = tempfile::tempdir().unwrap();
            let name = folder.write_missing(directory.path()).unwrap().remove(0);
            let path = directory.path().join(&name);
            fs::write(&path, b"other").unwrap();
            let error = folder.write_missing(directory.path()).unwrap_err().to_string();
            assert!(error.starts_with(&name) && error.contains("restore it"), "{error}");
            assert_eq!(fs::read(&path).unwrap(), b"other");
        }
    }

    #[test]
    fn only_what_is_missing_is_written() {
        let folder = checkpoints().unwrap();
        let directory = tempfile::tempdir().unwrap();
        let name = folder.write_missing(directory.path()).unwrap().remove(2);
        fs::remove_file(directory.path().join(&name)).unwrap();
        let table = fs::read(directory.path().join("expected.tsv")).unwrap();
        assert_eq!(folder.write_missing(directory.path()).unwrap(), [name]);
        assert_eq!(fs::read(directory.path().join("expected.tsv")).unwrap(), table);
    }

    #[test]
    fn a_released_fixture_never_changes() {
        let mut folder = checkpoints().unwrap();
        let directory = tempfile::tempdir().unwrap();
        let name = folder.write_missing(directory.path()).unwrap().remove(0);
        fs::remove_file(directory.path().join(&name)).unwrap();
        folder.files[0].1.push(0);
        let error = folder.write_missing(directory.path()).unwrap_err().to_string();
        assert!(error.contains("never changes") && error.contains(&name), "{error}");
        assert!(!directory.path().join(&name).exists());
    }

    #[test]
    fn attacks_are_many_small_and_different() {
        let files = attacks().files;
        let names: std::collections::BTreeSet<_> = files.iter().map(|(name, _)| name).collect();
        let contents: std::collections::BTreeSet<_> =
            files.iter().map(|(_, bytes)| bytes).collect();
        assert!(files.len() >= 60, "{}", files.len());
        assert_eq!((names.len(), contents.len()), (files.len(), files.len()));
        assert!(files.iter().all(|(_, bytes)| bytes.len() < 64 << 10));
        assert!(files.iter().map(|(_, bytes)| bytes.len()).sum::<usize>() < 1 << 20);
    }
}
