//! What formatter and lints do not see: file sizes, module layout, arrows between crates.

use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};

/// Lines above which a file holds more than one concept.
const LONGEST_FILE_LINES: usize = 400;
/// Size above which a file does not belong into the repository.
const LARGEST_FILE_BYTES: u64 = 8 << 20;

/// Each crate with the workspace crates that it may depend on: nothing points up.
const ARROWS: [(&str, &[&str]); 11] = [
    ("vnp-ckpt", &[]),
    ("vnp-seq", &[]),
    ("vnp-validate", &["vnp-ckpt"]),
    ("vnp-kernels", &[]),
    ("vnp-infer", &["vnp-ckpt", "vnp-kernels"]),
    ("vnp-pipeline", &["vnp-ckpt", "vnp-infer", "vnp-seq", "vnp-validate"]),
    ("vnp-train", &["vnp-ckpt", "vnp-infer", "vnp-seq"]),
    ("vnp-cli", &["vnp-ckpt", "vnp-infer", "vnp-pipeline", "vnp-seq", "vnp-train", "vnp-validate"]),
    ("vnp-faults", &["vnp-ckpt"]),
    ("vnp-forge", &[]),
    ("xtask", &["vnp-ckpt", "vnp-forge", "vnp-infer", "vnp-seq", "vnp-train", "vnp-validate"]),
];

/// Crates that some crate must not name among its dependencies.
const NEVER: [(&str, &[&str]); 4] = [
    ("vnp-ckpt", &["candle-core", "candle-nn", "clap", "tokenizers"]),
    ("vnp-validate", &["candle-core", "candle-nn", "clap"]),
    ("vnp-kernels", &["candle-core", "candle-nn", "clap", "rayon"]),
    ("vnp-pipeline", &["candle-core", "candle-nn", "clap"]),
];

/// Fails with every untidiness found.
pub(crate) fn tidy(root: &Path) -> Result<()> {
    let mut untidy = Vec::new();
    let files = tracked_files(root)?;
    for file in &files {
        let path = root.join(file);
        let Ok(metadata) = fs_err::metadata(&path) else { continue };
        if metadata.len() > LARGEST_FILE_BYTES {
            untidy.push(format!("{}: {} bytes", file.display(), metadata.len()));
        }
        if file.extension().is_some_and(|extension| extension == "rs") {
            let text = fs_err::read_to_string(&path)?;
            untidy.extend(source_file(file, &text));
        }
    }
    for crate_dir in fs_err::read_dir(root.join("crates"))? {
        let name = crate_dir?.file_name().to_string_lossy().into_owned();
        if ARROWS.iter().all(|(known, _)| *known != name) {
            untidy.push(format!("{name} has no arrows: add it to `ARROWS`"));
        }
    }
    for (name, allowed) in ARROWS {
        let dir = match name {
            "xtask" => root.join(name),
            "vnp-faults" => root.join("tests/faults"),
            "vnp-forge" => root.join("tests/forge"),
            _ => root.join("crates").join(name),
        };
        let manifest = fs_err::read_to_string(dir.join("Cargo.toml"))?;
        let never =
            NEVER.iter().find(|(other, _)| *other == name).map_or(&[][..], |(_, never)| never);
        untidy.extend(arrows(name, &manifest, allowed, never));
    }
    ensure!(untidy.is_empty(), "untidy:\n  {}", untidy.join("\n  "));
    writeln!(std::io::stdout(), "tidy: {} files", files.len())?;
    Ok(())
}

/// The files that git tracks or would track.
fn tracked_files(root: &Path) -> Result<Vec<PathBuf>> {
    let listing = std::process::Command::new("git")
        .args(["ls-files", "--cached", "--others", "--exclude-standard", "-z"])
        .current_dir(root)
        .output()
        .context("git ls-files")?;
    ensure!(listing.status.success(), "git ls-files failed");
    let names = String::from_utf8_lossy(&listing.stdout).into_owned();
    Ok(names.split('\0').filter(|name| !name.is_empty()).map(PathBuf::from).collect())
}

fn source_file(file: &Path, text: &str) -> Vec<String> {
    let mut untidy = Vec::new();
    let lines = text.lines().count();
    if lines > LONGEST_FILE_LINES {
        untidy.push(format!("{}: {lines} lines, at most {LONGEST_FILE_LINES}", file.display()));
    }
    if file.ends_with("mod.rs") {
        untidy.push(format!("{}: write foo.rs beside foo/ instead", file.display()));
    }
    if file.ends_with("src/lib.rs") && !text.starts_with("//!") {
        untidy.push(format!("{}: begin with what the crate is", file.display()));
    }
    untidy
}

fn arrows(name: &str, manifest: &str, allowed: &[&str], never: &[&str]) -> Vec<String> {
    let mut untidy = Vec::new();
    let mut in_dependencies = false;
    for line in manifest.lines() {
        let table = line.strip_prefix('[').and_then(|line| line.strip_suffix(']'));
        let (is_entry, dependency) = match table {
            Some(table) => {
                in_dependencies =
                    table.ends_with("dependencies") && !table.ends_with("dev-dependencies");
                let named = table.rsplit_once("dependencies.");
                let named = named.filter(|(kind, _)| !kind.ends_with("dev-"));
                (named.is_some(), named.map_or("", |(_, name)| name))
            }
            None => (in_dependencies, line.split(['.', ' ', '=']).next().unwrap_or_default()),
        };
        let upward = dependency.starts_with("vnp-") && !allowed.contains(&dependency);
        if is_entry && (upward || never.contains(&dependency)) {
            untidy.push(format!("{name} must not depend on {dependency}"));
        }
    }
    untidy
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_repository_is_tidy() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        if !root.join(".git").exists() {
            println!("skipped: not a git checkout");
            return;
        }
        tidy(root).unwrap();
    }

    #[test]
    fn an_upward_arrow_is_found() {
        let manifest = "[dependencies]\nvnp-ckpt.workspace = true\nclap = \"4\"\n\
                        [dev-dependencies]\nvnp-cli.workspace = true\n";
        assert!(arrows("x", manifest, &["vnp-ckpt"], &[]).is_empty());
        assert_eq!(arrows("x", manifest, &[], &[]), ["x must not depend on vnp-ckpt"]);
        assert_eq!(arrows("x", manifest, &["vnp-ckpt"], &["clap"]), ["x must not depend on clap"]);
        let table = "[dependencies.clap]\nversion = \"4\"\n[dev-dependencies.clap]\n";
        assert_eq!(arrows("x", table, &[], &["clap"]), ["x must not depend on clap"]);
    }

    #[test]
    fn long_files_and_mod_rs_are_found() {
        let long = "x\n".repeat(LONGEST_FILE_LINES + 1);
        assert_eq!(source_file(Path::new("a/mod.rs"), &long).len(), 2);
        assert_eq!(source_file(Path::new("a/src/lib.rs"), "mod x;\n").len(), 1);
        assert!(source_file(Path::new("a/b.rs"), "//! x\n").is_empty());
    }
}
