//! What the formatter and the lints cannot check: file sizes and heads, circles of imports, arrows
//! between crates, messages that show text as it is, and phrases that the glossary replaces. The rules stand in docs/CONTRIBUTING.md.

mod arrows;
mod circles;
mod finding;
mod imports;
mod layout;
mod messages;
mod modules;
mod phrases;
mod references;
mod rules;
mod table;

use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};

use finding::{Finding, Kind};
use modules::Sources;
use rules::Rules;

/// Prints every finding in `checkout`, and fails if there is one. The tables of crates and phrases
/// are those of the repository `rules`.
pub(crate) fn tidy(checkout: &Path, rules: &Path) -> Result<()> {
    let rules = Rules::parse(&fs_err::read_to_string(rules.join(rules::DOCUMENT))?)?;
    let files = tracked_files(checkout)?;
    let findings = inspect(checkout, &files, &rules)?;
    let mut out = std::io::stdout().lock();
    for finding in &findings {
        writeln!(out, "{finding}")?;
    }
    write!(out, "tidy: files {}", files.len())?;
    for kind in Kind::ALL {
        let count = findings.iter().filter(|finding| finding.kind == kind).count();
        write!(out, ", {kind} {count}")?;
    }
    writeln!(out)?;
    ensure!(findings.is_empty(), "{} findings", findings.len());
    Ok(())
}

/// Every finding in `files` of the checkout `root`, in the order of their kinds.
fn inspect(root: &Path, files: &[PathBuf], rules: &Rules) -> Result<Vec<Finding>> {
    let mut findings = Vec::new();
    let mut sources = Sources::new();
    for file in files {
        findings.extend(layout::size(file, fs_err::metadata(root.join(file))?.len()));
        let read = || fs_err::read_to_string(root.join(file));
        if has_extension(file, "rs") {
            let text = read()?;
            findings.extend(layout::source_file(file, &text));
            findings.extend(messages::check(file, &text)?);
            findings.extend(phrases::refused(file, &text, &rules.phrases));
            sources.insert(file.clone(), text);
        } else if has_extension(file, "md") && !file.ends_with("CHANGELOG.md") {
            findings.extend(phrases::refused(file, &read()?, &rules.phrases));
        } else if file.ends_with("Cargo.toml") {
            findings.extend(arrows::manifest(file, &read()?, &rules.crates));
        }
    }
    findings.extend(imports::check(&sources)?);
    findings.sort();
    findings.dedup();
    Ok(findings)
}

fn has_extension(file: &Path, extension: &str) -> bool {
    file.extension().is_some_and(|found| found == extension)
}

/// The files that git tracks or would track, without those that are deleted.
fn tracked_files(root: &Path) -> Result<Vec<PathBuf>> {
    let listing = std::process::Command::new("git")
        .args(["ls-files", "--cached", "--others", "--exclude-standard", "--deduplicate", "-z"])
        .current_dir(root)
        .output()
        .context("git ls-files")?;
    ensure!(listing.status.success(), "git ls-files failed");
    let names = String::from_utf8_lossy(&listing.stdout).into_owned();
    let files = names.split('\0').filter(|name| !name.is_empty()).map(PathBuf::from);
    Ok(files.filter(|file| root.join(file).is_file()).collect())
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
        let rules = fs_err::read_to_string(root.join(rules::DOCUMENT)).unwrap();
        let rules = Rules::parse(&rules).unwrap();
        let findings = inspect(root, &tracked_files(root).unwrap(), &rules).unwrap();
        let lines: Vec<String> = findings.iter().map(ToString::to_string).collect();
        assert!(lines.is_empty(), "untidy:\n{}", lines.join("\n"));
    }
}
