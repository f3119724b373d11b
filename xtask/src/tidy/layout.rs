//! Rules about one file: its size, its name and its first line.

use std::path::Path;

use super::finding::{Finding, Kind};

/// Lines above which a file holds more than one concept.
const LONGEST_FILE_LINES: usize = 400;
/// Size above which a file does not belong into the repository.
const LARGEST_FILE_BYTES: u64 = 8 << 20;

/// Refuses a file of any type that is too large for the repository.
pub(super) fn size(file: &Path, bytes: u64) -> Option<Finding> {
    let message = || format!("{bytes} bytes, at most {LARGEST_FILE_BYTES}");
    (bytes > LARGEST_FILE_BYTES).then(|| Finding::new(Kind::Layout, file, 0, message()))
}

/// Refuses a source file that is too long, is called `mod.rs`, or does not begin with `//!`.
pub(super) fn source_file(file: &Path, text: &str) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut refuse = |kind, message| findings.push(Finding::new(kind, file, 0, message));
    let lines = text.lines().count();
    if lines > LONGEST_FILE_LINES {
        refuse(Kind::Layout, format!("{lines} lines, at most {LONGEST_FILE_LINES}"));
    }
    if file.ends_with("mod.rs") {
        refuse(Kind::Layout, "write foo.rs next to foo/ instead".to_owned());
    }
    if !text.starts_with("//!") {
        refuse(Kind::Head, "begin with what the file holds".to_owned());
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(file: &str, text: &str, expected: &[Kind]) {
        let found = source_file(Path::new(file), text);
        let kinds: Vec<Kind> = found.iter().map(|finding| finding.kind).collect();
        assert_eq!(kinds, expected, "{file}");
    }

    #[test]
    fn long_files_and_mod_rs_and_missing_heads_are_found() {
        check("a/b.rs", "//! What b holds.\n", &[]);
        check("a/mod.rs", "//! What a holds.\n", &[Kind::Layout]);
        check("a/long.rs", &"//! x\n".repeat(LONGEST_FILE_LINES + 1), &[Kind::Layout]);
        check("a/src/lib.rs", "mod x;\n", &[Kind::Head]);
        check("a/tests/suite/x.rs", "// A comment.\n", &[Kind::Head]);
        check("a/build.rs", "/// An item.\nfn main() {}\n", &[Kind::Head]);
    }

    #[test]
    fn large_files_are_found() {
        assert!(size(Path::new("a.bin"), LARGEST_FILE_BYTES).is_none());
        assert!(size(Path::new("a.bin"), LARGEST_FILE_BYTES + 1).is_some());
    }
}
