//! docs/DEFECTS.md names tests that exist.

use std::path::Path;

use crate::support::root;

/// The text of every Rust file below a directory.
fn sources(dir: &Path, text: &mut String) {
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() && !path.ends_with("target") {
            sources(&path, text);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            text.push_str(&std::fs::read_to_string(&path).unwrap());
        }
    }
}

#[test]
fn every_test_that_is_named_exists() {
    let mut text = String::new();
    sources(&root().join("crates"), &mut text);
    sources(&root().join("tests"), &mut text);
    let document = std::fs::read_to_string(root().join("docs/DEFECTS.md")).unwrap();
    let is_row = |line: &&str| {
        let first = line.strip_prefix("| ").and_then(|rest| rest.chars().next());
        first.is_some_and(|letter| letter.is_ascii_digit())
    };
    let rows: Vec<_> = document.lines().filter(is_row).collect();
    assert_eq!(rows.len(), 12);
    for row in rows {
        // The last column: names between backticks, so every second piece.
        let tests = row.trim_end_matches('|').rsplit('|').next().unwrap();
        let names: Vec<_> = tests.split('`').skip(1).step_by(2).collect();
        assert!(!names.is_empty(), "no test keeps this out: {row}");
        for name in names {
            assert!(
                text.contains(&format!("#[test]\n    fn {name}()"))
                    || text.contains(&format!("#[test]\nfn {name}()")),
                "there is no test {name}"
            );
        }
    }
}
