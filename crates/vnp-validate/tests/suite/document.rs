//! docs/VALIDATION.md lists every code and level.

use std::path::Path;

use vnp_validate::{Code, Level, Severity};

/// The rows of the table of codes: code, level, severity, meaning, remedy.
fn rows(text: &str) -> Vec<Vec<String>> {
    text.lines()
        .filter(|line| line.starts_with("| `"))
        .map(|line| line.trim_matches('|').split('|').map(|cell| cell.trim().to_owned()).collect())
        .collect()
}

#[test]
fn every_code_is_in_the_document_and_no_other() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/VALIDATION.md");
    let text = fs_err::read_to_string(path).unwrap();
    let documented: Vec<Vec<String>> =
        rows(&text).into_iter().filter(|row| row.len() == 5).collect();
    let names: Vec<_> = documented.iter().map(|row| row[0].trim_matches('`')).collect();
    assert_eq!(names, Code::ALL.iter().map(|code| code.name()).collect::<Vec<_>>());
    for (row, code) in documented.iter().zip(Code::ALL) {
        let severity = match code.severity() {
            Severity::Corrupted => "corrupted",
            Severity::Incompatible => "incompatible",
        };
        assert_eq!((row[1].as_str(), row[2].as_str()), (code.level().name(), severity), "{code}");
        assert!(row[3].len() > 20, "{code} has no meaning");
        assert_eq!(row[4], code.remedy(), "{code}");
    }
}

#[test]
fn every_level_is_in_the_document() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/VALIDATION.md");
    let text = fs_err::read_to_string(path).unwrap();
    let levels: Vec<String> = rows(&text)
        .into_iter()
        .filter(|row| row.len() == 2)
        .map(|row| row[0].trim_matches('`').to_owned())
        .collect();
    assert_eq!(levels, Level::ALL.map(|level| level.name().to_owned()));
}
