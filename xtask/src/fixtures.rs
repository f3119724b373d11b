//! `cargo xtask fixtures`: one file for each thing that a checkpoint may hold, and a table of what
//! a reader must find in it. Released fixtures never change: only missing ones are written.

mod cases;
mod hostile;
mod sums;
#[expect(dead_code, reason = "the tests that read the tables use the rest")]
#[path = "../../crates/vnp-ckpt/tests/suite/tables.rs"]
mod tables;

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context, bail, ensure};
use fs_err as fs;
use vnp_ckpt::{CHECKPOINT_VERSION, Checkpoint, Format};

use sums::{read_or_empty, sum};
use tables::{describe, sums};

/// Writes what is missing below `tests/fixtures` and says so on stderr.
#[expect(clippy::print_stderr, reason = "a chore reports to who runs it")]
pub(crate) fn run(root: &Path) -> anyhow::Result<()> {
    let folder = root.join("tests/fixtures");
    let mut written = write_missing(&folder.join(format!("v{CHECKPOINT_VERSION}")))?;
    written.extend(hostile::folder::write_missing(&folder.join("hostile"))?);
    for name in &written {
        eprintln!("wrote {name}");
    }
    let all = cases::all()?.len() + hostile::all().len();
    eprintln!("{} fixtures written, {} were there", written.len(), all - written.len());
    Ok(())
}

/// Writes the fixtures that `folder` lacks; their names.
fn write_missing(folder: &Path) -> anyhow::Result<Vec<String>> {
    fs::create_dir_all(folder)?;
    let (sums_path, table_path) = (folder.join("SHA256SUMS"), folder.join("expected.tsv"));
    let old_sums = read_or_empty(&sums_path)?;
    let known = sums(&old_sums).context("a line of SHA256SUMS is broken")?;
    let known: BTreeMap<_, _> = known.into_iter().map(|(sum, name)| (name, sum)).collect();
    let mut new_sums = old_sums.clone();
    let mut table = read_or_empty(&table_path)?;
    let mut written = Vec::new();
    for (name, checkpoint) in cases::all()? {
        let path = folder.join(&name);
        let known = known.get(name.as_str()).copied();
        if path.exists() {
            let known = known.with_context(|| format!("{name} is not in SHA256SUMS"))?;
            ensure!(sum(&path)? == known, "{name} is not the file of SHA256SUMS: restore it");
            ensure!(
                encoded_sum(&name, &checkpoint)? == known,
                "{name} would come out differently: a released fixture never changes, give the \
                 new one another name"
            );
            continue;
        }
        save(&path, &checkpoint)?;
        let own = sum(&path)?;
        match known {
            None => {
                new_sums.push_str(&format!("{own}  {name}\n"));
                // The other forms hold the same.
                if name.ends_with(".vnp") {
                    let rows = describe(&checkpoint, |tensor| !tensor.starts_with(cases::FREE));
                    table.extend(
                        rows.iter().map(|(what, value)| format!("{name}\t{what}\t{value}\n")),
                    );
                }
            }
            Some(known) if known == own => {}
            Some(_) => {
                fs::remove_file(&path)?;
                bail!("{name} is missing and would come out differently: restore it");
            }
        }
        written.push(name);
    }
    if !written.is_empty() {
        fs::write(sums_path, new_sums)?;
        fs::write(table_path, table)?;
    }
    Ok(written)
}

fn encoded_sum(name: &str, checkpoint: &Checkpoint) -> anyhow::Result<String> {
    let directory = tempfile::tempdir()?;
    let path = directory.path().join(name);
    save(&path, checkpoint)?;
    sum(&path)
}

/// Writes a fixture in the form that its name's extension asks for.
fn save(path: &Path, checkpoint: &Checkpoint) -> anyhow::Result<()> {
    let format = Format::of_path(path)
        .with_context(|| format!("{} has no form that can be written", path.display()))?;
    Ok(format.save(path, checkpoint)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn committed() -> std::path::PathBuf {
        crate::root().join("tests/fixtures").join(format!("v{CHECKPOINT_VERSION}"))
    }

    #[test]
    fn what_is_committed_comes_out_again_byte_for_byte() {
        let directory = tempfile::tempdir().unwrap();
        let names = write_missing(directory.path()).unwrap();
        assert_eq!(names.len(), cases::all().unwrap().len());
        for name in names.iter().map(String::as_str).chain(["expected.tsv", "SHA256SUMS"]) {
            let fresh = fs::read(directory.path().join(name)).unwrap();
            assert!(fresh == fs::read(committed().join(name)).unwrap(), "{name} differs");
        }
        assert!(write_missing(directory.path()).unwrap().is_empty());
    }

    #[test]
    fn a_fixture_that_was_changed_is_not_touched() {
        let directory = tempfile::tempdir().unwrap();
        let name = write_missing(directory.path()).unwrap().remove(0);
        let path = directory.path().join(&name);
        let mut bytes = fs::read(&path).unwrap();
        bytes.push(0);
        fs::write(&path, &bytes).unwrap();
        let error = write_missing(directory.path()).unwrap_err().to_string();
        assert!(error.starts_with(&name) && error.contains("restore it"), "{error}");
        assert_eq!(fs::read(&path).unwrap(), bytes);
    }

    #[test]
    fn only_what_is_missing_is_written() {
        let directory = tempfile::tempdir().unwrap();
        let name = write_missing(directory.path()).unwrap().remove(2);
        fs::remove_file(directory.path().join(&name)).unwrap();
        let table = fs::read(directory.path().join("expected.tsv")).unwrap();
        assert_eq!(write_missing(directory.path()).unwrap(), [name]);
        assert_eq!(fs::read(directory.path().join("expected.tsv")).unwrap(), table);
    }
}
