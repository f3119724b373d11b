//! A tool outside of the workspace that depends on vnp-ckpt alone: does it build, and how many
//! crates does it take?

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Output};

use anyhow::{Context, Result, ensure};
use tempfile::TempDir;

/// With this many crates, its own and ours among them, vnp-ckpt would be no small dependency.
const TOO_MANY: usize = 40;

/// Builds and runs the tool, and counts its crates.
pub(crate) fn run(root: &Path) -> Result<()> {
    let tool = copy(root)?;
    let target = root.join("target").join("outside");
    let output = cargo(tool.path(), [OsStr::new("run"), "--target-dir".as_ref(), target.as_ref()])?;
    std::io::stdout().write_all(&output.stdout)?;
    let crates = crates(tool.path())?;
    for name in &crates {
        writeln!(std::io::stdout(), "{name}")?;
    }
    writeln!(std::io::stdout(), "outside: {} crates, fewer than {TOO_MANY}", crates.len())?;
    check(&crates)
}

fn check(crates: &BTreeSet<String>) -> Result<()> {
    ensure!(crates.len() < TOO_MANY, "vnp-ckpt takes {} crates: {crates:?}", crates.len());
    Ok(())
}

/// The tool in a directory of its own, with the lock file of the workspace, so that nothing is
/// fetched that is not here and nothing is written into the repository.
fn copy(root: &Path) -> Result<TempDir> {
    let (from, to) = (root.join("tests").join("outside"), tempfile::tempdir()?);
    let manifest = fs_err::read_to_string(from.join("Cargo.toml"))?;
    let vnp_ckpt = root.join("crates").join("vnp-ckpt");
    let path = toml_text(&vnp_ckpt.to_string_lossy());
    let manifest = manifest.replace("\"../../crates/vnp-ckpt\"", &path);
    fs_err::write(to.path().join("Cargo.toml"), manifest)?;
    fs_err::copy(root.join("Cargo.lock"), to.path().join("Cargo.lock"))?;
    fs_err::create_dir(to.path().join("src"))?;
    fs_err::copy(from.join("src/main.rs"), to.path().join("src/main.rs"))?;
    Ok(to)
}

fn toml_text(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

/// What is compiled for this machine: the tool, its dependencies, and what builds them.
fn crates(tool: &Path) -> Result<BTreeSet<String>> {
    let output = cargo(tool, ["tree", "--edges=normal,build", "--prefix=none", "--format={p}"])?;
    let listing = String::from_utf8(output.stdout)?;
    let words = listing.lines().filter_map(|line| {
        let mut words = line.split_whitespace();
        Some(format!("{} {}", words.next()?, words.next()?))
    });
    Ok(words.collect())
}

fn cargo<A: AsRef<OsStr>>(tool: &Path, args: impl IntoIterator<Item = A>) -> Result<Output> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command.args(args).arg("--offline").current_dir(tool);
    // The tool is not part of the workspace that this program belongs to.
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("CARGO_PKG") {
            command.env_remove(name);
        }
    }
    let output = command.output().context("cargo")?;
    let failure = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "cargo failed for the tool outside: {failure}");
    Ok(output)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tool_outside_takes_few_crates() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        let tool = copy(root).unwrap();
        let crates = crates(tool.path()).unwrap();
        assert!(crates.iter().any(|name| name.starts_with("vnp-ckpt ")), "{crates:?}");
        check(&crates).unwrap();
    }

    #[test]
    fn forty_are_too_many() {
        let names = |count: usize| (0..count).map(|place| place.to_string()).collect();
        assert!(check(&names(TOO_MANY)).is_err());
        assert!(check(&names(TOO_MANY - 1)).is_ok());
    }
}
