//! A bad file for every code.

use std::path::{Path, PathBuf};

use fs_err as fs;
use vnp_ckpt::{Dtype, Limits, Status, Tensor};
use vnp_validate::{Code, Level, Options, Outcome, Report, Severity, validate_checkpoint};

use crate::support::{builder, change, embedding, forge, good, saved, schema, with_schema};

/// One bad file, the options to validate it with, and the start of the expected finding.
struct Case {
    make: Box<dyn Fn(&Path) -> PathBuf>,
    options: fn() -> Options,
    line: &'static str,
}

fn case(make: fn(&Path) -> PathBuf, line: &'static str) -> Case {
    Case { make: Box::new(make), options: with_schema, line }
}

/// A good file that does not fit these options.
fn good_but(options: fn() -> Options, line: &'static str) -> Case {
    Case { make: Box::new(|at| saved(at, &good())), options, line }
}

fn schema_of(spoil: impl FnOnce(&mut vnp_validate::Schema)) -> Options {
    let mut schema = schema();
    spoil(&mut schema);
    Options { schema: Some(schema), ..Options::default() }
}

/// The case of a code; none of [`Code::Unreadable`], as permissions do not hold for root: see
/// `what_cannot_be_read_does_not_end_the_others` in the tests of trees.
fn case_of(code: Code) -> Option<Case> {
    Some(match code {
        Code::Missing => case(
            |at| at.join("part.vnp"),
            "missing: file: expected a file, found nothing: compute it again",
        ),
        Code::NotAFile => {
            case(|at| at.to_owned(), "not-a-file: file: expected a regular file, found a directory")
        }
        Code::Empty => {
            case(|at| write(at, b""), "empty: file: expected a checkpoint, found 0 bytes")
        }
        Code::NotACheckpoint => case(
            |at| write(at, b">read1\nACGT\n"),
            "not-a-checkpoint: file: expected the first bytes of a checkpoint, found others",
        ),
        Code::TooNew => case(
            |at| changed(at, |bytes| bytes[10] = 1),
            "too-new: version: expected at most 1.0, found 1.1: upgrade vnp",
        ),
        Code::MalformedVersion => case(
            |at| forged(at, "1.0", "abc"),
            "malformed-version: version: expected MAJOR.MINOR, found `abc`",
        ),
        Code::MissingField => case(
            |at| forged(at, "status", "statue"),
            "missing-field: header: expected a field `status`, found none",
        ),
        Code::Truncated => case(
            |at| changed(at, |bytes| bytes.truncate(100)),
            "truncated: file: expected 512 bytes, found 100 bytes: remove it",
        ),
        Code::Surplus => case(
            |at| changed(at, |bytes| bytes.push(0)),
            "surplus: file: expected 512 bytes, found 513 bytes",
        ),
        Code::DamagedHeader => case(
            |at| changed(at, |bytes| bytes[64] ^= 1),
            "damaged-header: `header`: expected the bytes that were written, found others",
        ),
        Code::BadHeader => case(
            |at| forged(at, "complete", "finished"),
            "bad-header: header field `status`: expected in_progress or complete, found `finished`",
        ),
        Code::Inconsistent => case(
            |at| forged(at, "f32", "f64"),
            "inconsistent: length of section `embedding`: expected 48, found 24",
        ),
        Code::BadArchive => case(
            |at| write(at, b"PK\x03\x04 and more"),
            "bad-archive: record `end record`: expected",
        ),
        Code::BadPickle => hostile("pickle-no-stop.pt", "bad-pickle: byte"),
        Code::ForbiddenGlobal => hostile("global-eval.pt", "forbidden-global: byte"),
        Code::BadTensor => hostile("tensor-numel-small.pt", "bad-tensor: tensor"),
        Code::Unsupported => hostile(
            "archive-byteorder-big.pt",
            "unsupported: file: expected what this release reads",
        ),
        Code::LimitExceeded => good_but(
            || {
                let limits = Limits { ids: 1, ..Limits::default() };
                Options { limits, ..Options::default() }
            },
            "limit-exceeded: limit `ids`: expected at most 1, found 2: raise the limit",
        ),
        Code::NotComplete => case(
            |at| saved(at, &builder().status(Status::InProgress).build().unwrap()),
            "not-complete: status: expected complete, found in_progress: remove it and compute",
        ),
        Code::DigestMismatch => case(
            // The first byte of the last section.
            |at| changed(at, |bytes| *bytes.iter_mut().nth_back(63).unwrap() ^= 1),
            "digest-mismatch: `embedding`: expected the bytes that were written, found others",
        ),
        Code::CrcMismatch => hostile(
            "archive-flip-in-storage.pt",
            "crc-mismatch: record `data/0`: expected the bytes that were written",
        ),
        Code::WrongKind => good_but(
            || schema_of(|schema| schema.kind = "protein".into()),
            "wrong-kind: kind: expected `protein`, found `nucleotide`",
        ),
        Code::MissingTensor => case(
            |at| saved(at, &builder().tensor("other", embedding([0.5; 6])).build().unwrap()),
            "missing-tensor: tensors: expected one named `embedding`, found `other`",
        ),
        Code::WrongDtype => good_but(
            || schema_of(|schema| schema.tensors[0].dtype = Some(Dtype::F16)),
            "wrong-dtype: tensor `embedding`: expected f16, found f32",
        ),
        Code::WrongShape => good_but(
            || schema_of(|schema| schema.tensors[0].trailing = Some(vec![768])),
            "wrong-shape: tensor `embedding`: expected rows of shape [768], found rows of shape [3]",
        ),
        Code::RowCount => case(
            |at| {
                let other = Tensor::from_f32([4, 3], vec![0.5; 12]).unwrap();
                saved(at, &builder().free_tensor("embedding", other).build().unwrap())
            },
            "row-count: tensor `embedding`: expected 2 rows, one for each id, found 4 rows",
        ),
        Code::NonFinite => case(
            |at| {
                let values = [0.5, 0.5, 0.5, 0.5, f32::NAN, 0.5];
                saved(at, &builder().tensor("embedding", embedding(values)).build().unwrap())
            },
            "non-finite: tensor `embedding`: expected finite values, found NaN or an infinity in row 1",
        ),
        _ => return None,
    })
}

/// A file of the repository's collection of attacks.
fn hostile(name: &'static str, line: &'static str) -> Case {
    Case {
        make: Box::new(move |_| fixtures().join("hostile").join(name)),
        options: with_schema,
        line,
    }
}

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures")
}

fn write(directory: &Path, bytes: &[u8]) -> PathBuf {
    let path = directory.join("part.vnp");
    fs::write(&path, bytes).unwrap();
    path
}

fn changed(directory: &Path, how: fn(&mut Vec<u8>)) -> PathBuf {
    let path = saved(directory, &good());
    change(&path, how);
    path
}

fn forged(directory: &Path, from: &str, to: &str) -> PathBuf {
    let path = saved(directory, &good());
    forge(&path, from, to);
    path
}

#[track_caller]
fn check_report(report: &Report, code: Code, line: &str) {
    let [finding] = report.findings.as_slice() else { panic!("{code}: {:?}", report.findings) };
    assert_eq!((finding.code, finding.severity), (code, code.severity()), "{finding}");
    assert!(report.reason().starts_with(line), "expected: {line}\nfound: {}", report.reason());
    assert!(report.reason().ends_with(code.remedy()));
    let outcome = match code.severity() {
        Severity::Corrupted => Outcome::Corrupted,
        Severity::Incompatible => Outcome::Incompatible,
    };
    assert_eq!(report.outcome(), outcome);
}

#[test]
fn every_code_has_a_file() {
    for &code in Code::ALL.iter().filter(|&&code| code != Code::Unreadable) {
        let Case { make, options, line } = case_of(code).unwrap_or_else(|| panic!("{code}"));
        let directory = tempfile::tempdir().unwrap();
        let path = make(directory.path());
        let report = validate_checkpoint(&path, &options()).unwrap();
        check_report(&report, code, line);
        assert_eq!(report.level, code.level(), "{code}");
    }
}

#[test]
fn every_code_of_a_level_is_found_by_that_level_and_by_no_lower_one() {
    for &code in Code::ALL {
        let Some(Case { make, options, .. }) = case_of(code) else { continue };
        let directory = tempfile::tempdir().unwrap();
        let path = make(directory.path());
        for level in Level::ALL {
            let report = validate_checkpoint(&path, &Options { level, ..options() }).unwrap();
            let expected =
                level >= code.level() && (code, level) != (Code::DigestMismatch, Level::Container);
            assert_eq!(report.is_ok(), !expected, "{code} at {level}: {}", report.reason());
        }
    }
}

#[test]
fn damage_is_worse_than_not_fitting() {
    let directory = tempfile::tempdir().unwrap();
    let values = [f32::INFINITY; 6];
    let path =
        saved(directory.path(), &builder().tensor("embedding", embedding(values)).build().unwrap());
    let options = schema_of(|schema| schema.tensors[0].trailing = Some(vec![768]));
    let report = validate_checkpoint(&path, &options).unwrap();
    let codes: Vec<_> = report.findings.iter().map(|finding| finding.code).collect();
    assert_eq!(codes, [Code::WrongShape, Code::NonFinite]);
    assert_eq!(report.outcome(), Outcome::Corrupted);
}
