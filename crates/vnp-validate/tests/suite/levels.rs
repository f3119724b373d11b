//! What each level inspects, and what a report and a verified checkpoint hold.

use fs_err as fs;
use vnp_ckpt::{RowRange, Status};
use vnp_validate::{
    Code, Error, FAILED_CHECKPOINTS, Level, Options, TensorRule, load_failed_checkpoints,
    validate_checkpoint, verify,
};

use crate::support::{builder, change, embedding, good, good_file, saved, schema, with_schema};

#[test]
fn a_good_file_is_described() {
    let (_directory, path) = good_file();
    for level in Level::ALL {
        let report = validate_checkpoint(&path, &Options { level, ..with_schema() }).unwrap();
        assert!(report.is_ok(), "{level}: {}", report.reason());
        assert_eq!((report.level, report.reason().as_str()), (level, ""));
        assert_eq!(report.file_bytes, Some(fs::metadata(&path).unwrap().len()));
        if level >= Level::Container {
            assert_eq!(report.version.as_deref(), Some("1.0"));
            assert_eq!(report.status, Some(Status::Complete));
            assert_eq!((report.kind.as_deref(), report.rows), (Some("nucleotide"), Some(2)));
        }
    }
}

#[test]
fn a_newer_version_is_reported() {
    let (_directory, path) = good_file();
    change(&path, |bytes| bytes[8] = 10);
    let report = validate_checkpoint(&path, &Options::default()).unwrap();
    assert_eq!(report.version.as_deref(), Some("10.0"));
    assert_eq!(report.findings[0].code, Code::TooNew);
}

#[test]
fn cheap_levels_do_not_find_damage_after_the_header() {
    let (_directory, path) = good_file();
    change(&path, |bytes| *bytes.iter_mut().nth_back(63).unwrap() ^= 1);
    let cheap = Options { level: Level::Container, ..Options::default() };
    assert!(validate_checkpoint(&path, &cheap).unwrap().is_ok());
    let digest = Options { level: Level::Digest, ..Options::default() };
    let report = validate_checkpoint(&path, &digest).unwrap();
    assert_eq!(report.findings[0].code, Code::DigestMismatch);
}

#[test]
fn values_that_need_not_be_finite() {
    let directory = tempfile::tempdir().unwrap();
    let scores = builder().tensor("embedding", embedding([f32::NAN; 6])).build().unwrap();
    let path = saved(directory.path(), &scores);
    let mut schema = schema();
    schema.tensors = vec![TensorRule::new("embedding").allow_non_finite()];
    let options = Options { schema: Some(schema), ..Options::default() };
    assert!(validate_checkpoint(&path, &options).unwrap().is_ok());
    let report = validate_checkpoint(&path, &Options::default()).unwrap();
    assert_eq!(report.findings[0].code, Code::NonFinite);
}

#[test]
fn only_a_good_file_is_verified() {
    let (directory, path) = good_file();
    let Ok(verified) = verify(&path, &with_schema()).unwrap() else { panic!("a good file") };
    assert_eq!((verified.path(), verified.level()), (path.as_path(), Level::Tensors));
    assert_eq!(verified.checkpoint().rows(), RowRange::new(0, 2));
    assert_eq!(verified.into_checkpoint(), good_as_of(&path));

    let Err(report) = verify(&directory.path().join("none.vnp"), &with_schema()).unwrap() else {
        panic!("a missing file was verified")
    };
    assert_eq!(report.findings[0].code, Code::Missing);
}

fn good_as_of(path: &std::path::Path) -> vnp_ckpt::Checkpoint {
    vnp_ckpt::load_with_compatibility(path, &Default::default()).unwrap()
}

#[test]
fn verifying_always_loads() {
    let (_directory, path) = good_file();
    change(&path, |bytes| *bytes.iter_mut().nth_back(63).unwrap() ^= 1);
    let cheap = Options { level: Level::Size, ..Options::default() };
    let Err(report) = verify(&path, &cheap).unwrap() else { panic!("damage was verified") };
    assert_eq!(report.findings[0].code, Code::DigestMismatch);
}

#[test]
fn failures_are_recorded_where_asked() {
    let directory = tempfile::tempdir().unwrap();
    let log = directory.path().join(FAILED_CHECKPOINTS);
    let path = saved(directory.path(), &good());
    let options = Options { log_failures: Some(log.clone()), ..Options::default() };
    validate_checkpoint(&path, &options).unwrap();
    assert!(!log.exists(), "a good file was recorded");
    fs::write(&path, b"").unwrap();
    let report = validate_checkpoint(&path, &options).unwrap();
    let [failure] = &load_failed_checkpoints(&log).unwrap()[..] else { panic!("not one failure") };
    assert_eq!((&failure.path, &failure.reason), (&path, &report.reason()));

    // A log that cannot be written does not stop the validation.
    let options = Options { log_failures: Some(directory.path().to_owned()), ..options };
    assert_eq!(validate_checkpoint(&path, &options).unwrap().findings[0].code, Code::Empty);
}

#[test]
fn what_cannot_be_inspected_is_an_error() {
    let (_directory, path) = good_file();
    // A path below a file is neither present nor missing.
    let below = path.join("part.vnp");
    let Err(Error::CannotRead { path: found, .. }) =
        validate_checkpoint(&below, &Options::default())
    else {
        panic!("a file was entered")
    };
    assert_eq!(found, below);
}
