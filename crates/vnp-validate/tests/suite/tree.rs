//! Validation of whole directories.

use std::path::Path;

use fs_err as fs;
use vnp_forge::{hostile_sizes, items};
use vnp_validate::{Code, Error, Options, Outcome, Report, load_failed_checkpoints, validate_tree};

use crate::support::{good, saved};

/// The paths below `top` and their outcomes.
fn outcomes<'a>(top: &Path, reports: &'a [Report]) -> Vec<(&'a str, Outcome)> {
    let name = |path: &'a Path| path.strip_prefix(top).unwrap().to_str().unwrap();
    reports.iter().map(|report| (name(&report.path), report.outcome())).collect()
}

/// A tree of good, bad and other files.
fn mixed() -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    let at = |name: &str| directory.path().join(name);
    fs::create_dir_all(at("b/c.vnp")).unwrap();
    fs::create_dir_all(at(".hidden")).unwrap();
    saved(&at("b"), &good());
    saved(&at("b/c.vnp"), &good());
    saved(&at(".hidden"), &good());
    fs::write(at("a.vnp"), b"").unwrap();
    let big_endian = "../../tests/fixtures/hostile/archive-byteorder-big.pt";
    fs::copy(Path::new(env!("CARGO_MANIFEST_DIR")).join(big_endian), at("d.pt")).unwrap();
    fs::write(at("e.pth"), b"").unwrap();
    fs::write(at("notes.txt"), b"not validated").unwrap();
    fs::write(at("vnp"), b"not validated").unwrap();
    directory
}

#[test]
fn every_checkpoint_in_the_order_of_paths() {
    let directory = mixed();
    let expected = [
        (".hidden/part.vnp", Outcome::Ok),
        ("a.vnp", Outcome::Corrupted),
        ("b/c.vnp/part.vnp", Outcome::Ok),
        ("b/part.vnp", Outcome::Ok),
        ("d.pt", Outcome::Incompatible),
        ("e.pth", Outcome::Corrupted),
    ];
    for memory_bytes in [0, 1000, 4 << 30] {
        let options = Options { memory_bytes, ..Options::default() };
        let reports = validate_tree(directory.path(), &options).unwrap();
        assert_eq!(outcomes(directory.path(), &reports), expected);
    }
}

#[test]
fn every_failure_is_recorded_once() {
    let directory = mixed();
    let log = directory.path().join("failed_checkpoints.txt");
    let options = Options { log_failures: Some(log.clone()), ..Options::default() };
    validate_tree(directory.path(), &options).unwrap();
    let mut names: Vec<_> = load_failed_checkpoints(&log)
        .unwrap()
        .into_iter()
        .map(|failure| failure.path.strip_prefix(directory.path()).unwrap().to_owned())
        .collect();
    names.sort();
    assert_eq!(names, ["a.vnp", "d.pt", "e.pth"].map(std::path::PathBuf::from));
}

#[test]
fn an_empty_directory_has_no_reports_and_a_missing_one_is_an_error() {
    let directory = tempfile::tempdir().unwrap();
    assert_eq!(validate_tree(directory.path(), &Options::default()).unwrap(), []);
    let missing = directory.path().join("none");
    let Err(Error::CannotList { path, .. }) = validate_tree(&missing, &Options::default()) else {
        panic!("a missing directory was listed")
    };
    assert_eq!(path, missing);
    fs::write(&missing, b"").unwrap();
    let Err(Error::CannotList { .. }) = validate_tree(&missing, &Options::default()) else {
        panic!("a file was listed")
    };
}

#[cfg(unix)]
#[test]
fn links_to_files_are_validated_and_links_to_directories_are_not_followed() {
    use std::os::unix::fs::symlink;
    let directory = tempfile::tempdir().unwrap();
    let at = |name: &str| directory.path().join(name);
    fs::create_dir(at("real")).unwrap();
    saved(&at("real"), &good());
    symlink("../real", at("real/loop.vnp")).unwrap();
    symlink("real/part.vnp", at("link.vnp")).unwrap();
    symlink("nowhere", at("broken.vnp")).unwrap();
    let reports = validate_tree(directory.path(), &Options::default()).unwrap();
    let expected = [
        ("broken.vnp", Outcome::Corrupted),
        ("link.vnp", Outcome::Ok),
        ("real/part.vnp", Outcome::Ok),
    ];
    assert_eq!(outcomes(directory.path(), &reports), expected);
    assert_eq!(reports[0].findings[0].code, Code::Missing);
}

#[cfg(unix)]
#[test]
fn what_cannot_be_read_does_not_end_the_others() {
    use std::os::unix::fs::PermissionsExt;
    let directory = mixed();
    let (closed_file, closed_directory) =
        (directory.path().join("b/part.vnp"), directory.path().join(".hidden"));
    for path in [&closed_file, &closed_directory] {
        fs::set_permissions(path, PermissionsExt::from_mode(0o000)).unwrap();
    }
    if fs::read(&closed_file).is_ok() {
        println!("skipped: permissions do not hold for this user");
        fs::set_permissions(&closed_directory, PermissionsExt::from_mode(0o755)).unwrap();
        return;
    }
    let reports = validate_tree(directory.path(), &Options::default()).unwrap();
    fs::set_permissions(&closed_directory, PermissionsExt::from_mode(0o755)).unwrap();
    let unreadable: Vec<_> = reports
        .iter()
        .filter(|report| report.findings.iter().any(|finding| finding.code == Code::Unreadable))
        .map(|report| report.path.clone())
        .collect();
    assert_eq!(unreadable, [closed_directory, closed_file]);
    assert_eq!(reports.len(), 6);
}

/// A file that means more than a share of the memory of all threads, and not more than it may.
#[test]
fn what_needs_more_than_a_share_is_good_all_the_same() {
    let directory = tempfile::tempdir().unwrap();
    let values = [&b"]("[..], &b"N".repeat(700_000), b"e"].concat();
    let good = items::archive(&items::pickle(&values), &[]);
    let case = hostile_sizes::all().into_iter().find(|case| case.name == "empty_lists").unwrap();
    let log = directory.path().join("log.txt");
    for number in 0..6 {
        fs::write(directory.path().join(format!("good{number}.pt")), &good).unwrap();
        let bad = (case.make)(3_000_000);
        fs::write(directory.path().join(format!("bad{number}.pt")), bad).unwrap();
    }
    let options = Options { log_failures: Some(log.clone()), ..Options::default() };
    let reports = validate_tree(directory.path(), &options).unwrap();
    let (bad, good) = reports.split_at(6);
    assert!(good.iter().all(Report::is_ok), "{good:?}");
    assert!(bad.iter().all(|report| report.findings[0].code == Code::LimitExceeded), "{bad:?}");
    assert_eq!(fs::read_to_string(log).unwrap().lines().count(), 6, "each is recorded once");
}
