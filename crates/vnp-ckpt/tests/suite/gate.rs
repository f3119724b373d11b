//! Which versions are let in, and by what they are decided.

use vnp_ckpt::{ErrorKind, Version};
use vnp_forge::native::{good, preamble};
use vnp_forge::value::Value;

use crate::support::{decode, encode, kind_in_file, sample};

/// What becomes of a file: `ok`, or the error's name and what it found.
fn outcome(bytes: &[u8]) -> String {
    match kind_in_file(decode(bytes)) {
        Ok(checkpoint) => format!("ok {}", checkpoint.version()),
        Err(ErrorKind::TooNew { found, current, .. }) if current == Version::CURRENT => {
            format!("too new {found}")
        }
        Err(ErrorKind::MalformedVersion { found }) => format!("malformed {found}"),
        Err(ErrorKind::BadHeader { field, found, .. }) => format!("bad {field} {found}"),
        Err(ErrorKind::MissingField { field, .. }) => format!("missing {field}"),
        Err(other) => panic!("{other:?}"),
    }
}

/// A good file with other numbers in its preamble, and a digest that fits them.
fn with_numbers(major: u16, minor: u16) -> Vec<u8> {
    let whole = encode(&sample());
    let header_bytes = u64::from_le_bytes(whole[16..24].try_into().unwrap()) as usize;
    let mut bytes = preamble((major, minor), 0, &whole[64..64 + header_bytes], whole.len() as u64);
    bytes.extend_from_slice(&whole[64..]);
    bytes
}

#[track_caller]
fn check_numbers(major: u16, minor: u16, expected: &str) {
    assert_eq!(outcome(&with_numbers(major, minor)), expected);
}

/// A good file of version 1.0 whose header says `version`.
#[track_caller]
fn check_text(version: Option<Value>, expected: &str) {
    let bytes = good(|parts| {
        match &version {
            Some(version) => parts.header.insert("version".to_owned(), version.clone()),
            None => parts.header.remove("version"),
        };
    });
    assert_eq!(outcome(&bytes), expected);
}

#[test]
fn numbers_decide() {
    check_numbers(1, 0, "ok 1.0");
    check_numbers(1, 1, "too new 1.1");
    check_numbers(2, 0, "too new 2.0");
    check_numbers(5, 0, "too new 5.0");
    check_numbers(10, 0, "too new 10.0");
    check_numbers(0, 9, "malformed 0.9");
}

#[test]
fn the_text_must_agree() {
    check_text(Some("1.0".into()), "ok 1.0");
    check_text(Some("1.0.0".into()), "ok 1.0");
    check_text(Some("1.0.7".into()), "ok 1.0.7");
    check_text(Some("0.9".into()), "bad version 0.x");
    check_text(Some("1.1".into()), "too new 1.1");
    check_text(Some("10.0".into()), "too new 10.0");
    check_text(Some("".into()), "malformed ");
    check_text(Some("abc".into()), "malformed abc");
    check_text(Some("v1.0".into()), "malformed v1.0");
    check_text(Some(Value::from(&*"9".repeat(300))), &format!("malformed {}...", "9".repeat(40)));
    check_text(Some(Value::Float(1.0)), "malformed a float");
    check_text(Some(Value::Int(1)), "malformed an integer");
    check_text(Some(Value::Null), "malformed nothing");
    check_text(None, "missing version");
}

#[test]
fn newer_files_are_refused_before_anything_else_is_read() {
    let mut bytes = with_numbers(2, 0);
    bytes.truncate(12);
    assert_eq!(outcome(&bytes), "too new 2.0");
    bytes.extend([0xff; 1000]);
    assert_eq!(outcome(&bytes), "too new 2.0");
}

#[test]
fn the_message_says_what_to_do() {
    let error = decode(&with_numbers(1, 1)).unwrap_err();
    assert!(error.is_incompatible());
    assert_eq!(
        error.to_string(),
        "a.vnp: checkpoint version 1.1 is newer than 1.0, which this vnp reads: upgrade vnp"
    );
}
