//! The version and the status of a file.

use crate::error::Error;
use crate::error::kind::ErrorKind;
use crate::gate;
use crate::header::Status;
use crate::read::torch::contents::lookup::entry;
use crate::read::torch::pickle::tree::{Item, Tree};
use crate::read::torch::shown::shown;
use crate::version::Version;

/// The version and the status: before anything else of the file is inspected. Where only the weights
/// matter, these keys are those of another program unless the file is `ours` for certain.
pub(super) fn ask(tree: &Tree<'_>, ours: bool) -> Result<(Version, Status), ErrorKind> {
    if !ours {
        return Ok((Version::V0, Status::Complete));
    }
    let version = match entry(tree, tree.root(), "version")? {
        None => Version::V0,
        Some(item) => match tree.text(item) {
            Some(text) => Version::parse(text).map_err(Error::into_kind)?,
            None => return Err(Version::malformed(&spelled(tree, item))),
        },
    };
    let version = gate::admit(version)?;
    let status = match entry(tree, tree.root(), "status")? {
        None => Status::Complete,
        Some(item) => match tree.text(item) {
            Some("complete") => Status::Complete,
            Some("in_progress") => Status::InProgress,
            text => {
                let found = text.map_or_else(
                    || tree.noun(item).to_owned(),
                    |text| format!("`{}`", shown(text.as_bytes())),
                );
                return Err(ErrorKind::bad_header("status", "in_progress or complete", found));
            }
        },
    };
    Ok((version, status))
}

/// A version that is not a text, as Python would print it.
fn spelled(tree: &Tree<'_>, item: Item) -> String {
    match item {
        Item::None => "None".to_owned(),
        Item::Bool(true) => "True".to_owned(),
        Item::Bool(false) => "False".to_owned(),
        Item::Int(number) => format!("{number}, an int"),
        Item::Float(number) => format!("{number:?}, a float"),
        other => tree.noun(other).to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use vnp_forge::items::*;

    use super::*;
    use crate::read::torch::forged::*;

    fn read(version: &[u8]) -> Result<Version, ErrorKind> {
        let value =
            dict(&[("ids", texts(&[])), ("version", version.to_vec()), ("data", list(&[]))]);
        load(&archive(&pickle(&value), &[])).map(|read| *read.version())
    }

    #[track_caller]
    fn check(version: &str, expected: &str) {
        assert_eq!(read(&text(version)).unwrap().to_string(), expected);
    }

    #[test]
    fn versions_that_are_read() {
        check("1.0", "1.0");
        check("1.0.3", "1.0.3");
        check("0.9", "0.x");
        assert_eq!(load(&archive(&pickle(b"}"), &[])).unwrap().version(), &Version::V0);
    }

    #[track_caller]
    fn check_too_new(version: &str) {
        let Err(ErrorKind::TooNew { found, .. }) = read(&text(version)) else {
            panic!("{version} was read")
        };
        assert!(found.is_too_new());
    }

    #[test]
    fn newer_ones_are_refused_whatever_is_in_them() {
        check_too_new("1.1");
        check_too_new("2.0");
        check_too_new("10.0");
        let value = dict(&[("version", text("2.0")), ("status", text("new")), ("ids", int(1))]);
        let Err(error @ ErrorKind::TooNew { .. }) = load(&archive(&pickle(&value), &[])) else {
            panic!("a newer file was inspected")
        };
        assert!(error.to_string().contains("upgrade"));
        // Its storage is not even there.
        let value = dict(&[("a", tensor("0", &[1])), ("version", text("2.0"))]);
        let Err(ErrorKind::TooNew { .. }) = load(&archive(&pickle(&value), &[])) else {
            panic!("a newer file was inspected")
        };
    }

    #[track_caller]
    fn check_malformed(version: &[u8], expected: &str) {
        let Err(ErrorKind::MalformedVersion { found }) = read(version) else {
            panic!("it was read")
        };
        assert_eq!(found, expected);
    }

    #[test]
    fn versions_that_are_none() {
        check_malformed(&text(""), "");
        check_malformed(&text("abc"), "abc");
        check_malformed(&text("v1.0"), "v1.0");
        check_malformed(&text("1"), "1");
        check_malformed(&float(1.0), "1.0, a float");
        check_malformed(&int(1), "1, an int");
        check_malformed(b"N", "None");
        check_malformed(b"\x88", "True");
        check_malformed(b"]", "a list");
        check_malformed(&text(&"9".repeat(300)), &format!("{}...", "9".repeat(40)));
    }

    #[test]
    fn a_version_is_there_once() {
        let value = dict(&[("version", text("2.0")), ("version", text("1.0"))]);
        let Err(ErrorKind::BadPickle { expected, .. }) = load(&archive(&pickle(&value), &[]))
        else {
            panic!("the last of two versions held")
        };
        assert_eq!(expected, "the key `version` once");
    }

    #[track_caller]
    fn check_status(status: Vec<u8>, expected: Option<Status>) {
        match (load(&archive(&pickle(&dict(&[("status", status)])), &[])), expected) {
            (Ok(read), Some(expected)) => assert_eq!(read.status(), expected),
            (Err(ErrorKind::BadHeader { field, .. }), None) => assert_eq!(field, "status"),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn statuses() {
        check_status(text("complete"), Some(Status::Complete));
        check_status(text("in_progress"), Some(Status::InProgress));
        check_status(text("done"), None);
        check_status(b"N".to_vec(), None);
    }
}
