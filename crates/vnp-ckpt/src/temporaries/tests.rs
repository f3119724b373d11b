//! Tests of temporaries: what goes, what stays, and what a sweep may take.

use std::path::PathBuf;

use super::*;

const DRAFTS: TemporaryName = TemporaryName::new(".draft-");

const NONE: [PathBuf; 0] = [];

fn names(dir: &Path) -> Vec<PathBuf> {
    let mut names: Vec<_> = std::fs::read_dir(dir).unwrap().map(|e| e.unwrap().path()).collect();
    names.sort();
    names
}

#[test]
fn what_is_dropped_goes_and_what_is_published_stays() {
    let place = tempfile::tempdir().unwrap();
    let at = |name: &str| place.path().join(name);
    drop(DRAFTS.file(place.path(), 0o600).unwrap());
    drop(DRAFTS.directory(place.path()).unwrap());
    let mut file = DRAFTS.file(place.path(), 0o600).unwrap();
    file.write_all(b"text").unwrap();
    file.persist(&at("file")).unwrap();
    let directory = DRAFTS.directory(place.path()).unwrap();
    std::fs::create_dir(directory.path().join("new")).unwrap();
    directory.publish("new", &at("directory")).unwrap();
    assert_eq!(names(place.path()), [at("directory"), at("file")]);
    assert_eq!(std::fs::read(at("file")).unwrap(), b"text");
    assert_eq!(names(&at("directory")), NONE);
}

/// What has no lock is of a process that was killed.
#[test]
fn only_what_no_process_holds_is_swept() {
    let place = tempfile::tempdir().unwrap();
    let at = |name: &str| place.path().join(name);
    let file = DRAFTS.file(place.path(), 0o600).unwrap();
    let directory = DRAFTS.directory(place.path()).unwrap();
    let save = super::name::SAVES.directory(place.path()).unwrap();
    std::fs::create_dir_all(at(".draft-aaaaaa/new/deep")).unwrap();
    std::fs::write(at(".draft-aaaaaa/lock"), "").unwrap();
    std::fs::write(at(".draft-aaaaaa/new/deep/x"), "half").unwrap();
    std::fs::write(at(".draft-bbbbbb"), "half").unwrap();
    std::fs::create_dir(at(".draft-cccccc")).unwrap();
    // Not ours, or not known to be.
    std::fs::create_dir(at(".draft-dddddd")).unwrap();
    std::fs::write(at(".draft-dddddd/notes.txt"), "mine").unwrap();
    std::fs::write(at(".draft-longer-name"), "mine").unwrap();
    let swept = DRAFTS.sweep(place.path(), Unlockable::Stays).unwrap();
    assert_eq!(swept, [".draft-aaaaaa", ".draft-bbbbbb", ".draft-cccccc"].map(at));
    for path in [file.path(), directory.path(), save.path()] {
        assert!(path.exists() && is_held(path), "{path:?}");
    }
    for name in [".draft-dddddd", ".draft-longer-name"] {
        assert!(at(name).exists() && !is_held(&at(name)), "{name}");
    }
    assert!(super::name::SAVES.sweep(place.path(), Unlockable::Goes).unwrap().is_empty());
}

#[cfg(unix)]
#[test]
fn a_link_is_not_followed() {
    let place = tempfile::tempdir().unwrap();
    let other = tempfile::tempdir().unwrap();
    std::fs::write(other.path().join("lock"), "").unwrap();
    std::os::unix::fs::symlink(other.path(), place.path().join(".draft-aaaaaa")).unwrap();
    let inside = place.path().join(".draft-bbbbbb");
    std::fs::create_dir(&inside).unwrap();
    std::os::unix::fs::symlink(other.path().join("lock"), inside.join("lock")).unwrap();
    assert!(DRAFTS.sweep(place.path(), Unlockable::Stays).unwrap().is_empty());
    assert!(other.path().join("lock").exists() && inside.exists());
}

#[test]
fn a_directory_that_is_missing_is_an_error() {
    let missing = Path::new("/nonexistent/vnp");
    assert!(DRAFTS.sweep(missing, Unlockable::Stays).is_err());
    let error = DRAFTS.directory(missing).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::NotFound);
}
