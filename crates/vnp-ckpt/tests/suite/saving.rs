//! What a save leaves behind, and what it leaves alone.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use fs_err as fs;
use vnp_ckpt::{
    Checkpoint, ErrorKind, Limits, RowRange, Tensor, atomic_save, load_with_compatibility,
    read_header,
};

use crate::support::{builder, encode, sample};

fn names(directory: &Path) -> Vec<String> {
    let entries = fs::read_dir(directory).unwrap();
    let name = |entry: fs::DirEntry| entry.file_name().into_string().unwrap();
    let mut names: Vec<_> = entries.map(|entry| name(entry.unwrap())).collect();
    names.sort();
    names
}

/// A checkpoint whose rows all say `number`.
fn numbered(number: u8) -> Checkpoint {
    let rows = 100;
    Checkpoint::builder("k")
        .rows(RowRange::new(0, rows as u64))
        .ids((0..rows).map(|row| format!("{number}/{row}")).collect())
        .tensor("t", Tensor::from_u8([rows, 5000], vec![number; rows * 5000]).unwrap())
        .created("2026-01-31T23:59:59Z".into())
        .build()
        .unwrap()
}

#[test]
fn only_the_file_is_left() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("a.b.vnp");
    atomic_save(&path, &sample()).unwrap();
    atomic_save(&path, &sample()).unwrap();
    assert_eq!(names(directory.path()), ["a.b.vnp"]);
    assert_eq!(load_with_compatibility(&path, &Limits::default()).unwrap(), sample());
}

#[test]
fn a_name_without_a_directory_is_in_the_current_one() {
    // The current directory is the crate's, for every test: nothing may be left in it.
    let path = Path::new("saving-test-without-directory.vnp");
    atomic_save(path, &sample()).unwrap();
    let read = load_with_compatibility(path, &Limits::default());
    fs::remove_file(path).unwrap();
    assert_eq!(read.unwrap(), sample());
}

#[track_caller]
fn check_not_committed(path: &Path) {
    let error = atomic_save(path, &sample()).unwrap_err();
    let ErrorKind::NotCommitted { .. } = error.kind() else { panic!("{path:?}: {error:?}") };
    assert_eq!(error.path(), Some(path));
}

#[test]
fn what_cannot_be_saved_leaves_everything_as_it_was() {
    let directory = tempfile::tempdir().unwrap();
    let at = |name: &str| directory.path().join(name);
    fs::create_dir(at("directory")).unwrap();
    fs::write(at("directory/kept"), b"kept").unwrap();
    check_not_committed(&at("directory"));
    check_not_committed(&at("missing/a.vnp"));
    check_not_committed(&at("directory/.."));
    check_not_committed(Path::new("/"));
    check_not_committed(Path::new(""));
    check_not_committed(&at(&"n".repeat(300)));
    assert_eq!(names(directory.path()), ["directory"]);
    assert_eq!(names(&at("directory")), ["kept"]);
}

#[test]
fn what_could_not_be_read_is_not_written() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("a.vnp");
    let text = "x".repeat(17 << 20);
    let checkpoint = builder().metadata("text", text).build().unwrap();
    let error = atomic_save(&path, &checkpoint).unwrap_err();
    let ErrorKind::LimitExceeded { limit: "header_bytes", .. } = error.kind() else {
        panic!("{error:?}")
    };
    assert_eq!(error.path(), Some(&*path));
    assert!(names(directory.path()).is_empty());
}

#[test]
fn what_cannot_be_looked_at_says_nothing_about_contents() {
    let directory = tempfile::tempdir().unwrap();
    let missing = directory.path().join("missing.vnp");
    let error = load_with_compatibility(&missing, &Limits::default()).unwrap_err();
    let ErrorKind::Io { .. } = error.kind() else { panic!("{error:?}") };
    assert_eq!(error.path(), Some(missing.as_path()));
    assert!(!error.is_corrupted() && !error.is_incompatible());
    let error = read_header(directory.path(), &Limits::default()).unwrap_err();
    let ErrorKind::NotAFile = error.kind() else { panic!("{error:?}") };
}

#[cfg(unix)]
#[test]
fn a_pipe_is_refused_and_not_waited_for() {
    let directory = tempfile::tempdir().unwrap();
    let pipe = directory.path().join("pipe.vnp");
    let made = std::process::Command::new("mkfifo").arg(&pipe).status();
    if !made.is_ok_and(|status| status.success()) {
        println!("skipped: no mkfifo here");
        return;
    }
    let error = read_header(&pipe, &Limits::default()).unwrap_err();
    let ErrorKind::NotAFile = error.kind() else { panic!("{error:?}") };
}

#[cfg(unix)]
#[test]
fn a_file_has_the_mode_of_new_files() {
    use std::os::unix::fs::PermissionsExt;
    let directory = tempfile::tempdir().unwrap();
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o7777;
    let (plain, path) = (directory.path().join("plain"), directory.path().join("a.vnp"));
    fs::write(&plain, b"").unwrap();
    atomic_save(&path, &sample()).unwrap();
    assert_eq!(mode(&path), mode(&plain));
    // Documented: the mode of the file that was there is not taken over.
    fs::set_permissions(&path, PermissionsExt::from_mode(0o600)).unwrap();
    atomic_save(&path, &sample()).unwrap();
    assert_eq!(mode(&path), mode(&plain));
}

#[cfg(unix)]
#[test]
fn a_link_is_read_through_and_replaced() {
    let directory = tempfile::tempdir().unwrap();
    let at = |name: &str| directory.path().join(name);
    atomic_save(&at("target.vnp"), &numbered(1)).unwrap();
    std::os::unix::fs::symlink("target.vnp", at("link.vnp")).unwrap();
    let read = load_with_compatibility(&at("link.vnp"), &Limits::default()).unwrap();
    assert_eq!(read, numbered(1));
    atomic_save(&at("link.vnp"), &sample()).unwrap();
    assert!(fs::symlink_metadata(at("link.vnp")).unwrap().is_file());
    let target = load_with_compatibility(&at("target.vnp"), &Limits::default()).unwrap();
    assert_eq!(target.ids()[0], "1/0");
}

#[cfg(unix)]
#[test]
fn a_link_to_nothing_or_to_a_directory_is_replaced() {
    use std::os::unix::fs::symlink;
    let directory = tempfile::tempdir().unwrap();
    let at = |name: &str| directory.path().join(name);
    fs::create_dir(at("real")).unwrap();
    symlink("missing.vnp", at("dangling.vnp")).unwrap();
    symlink("real", at("directory.vnp")).unwrap();
    for name in ["dangling.vnp", "directory.vnp"] {
        atomic_save(&at(name), &sample()).unwrap();
        assert!(fs::symlink_metadata(at(name)).unwrap().is_file(), "{name}");
    }
    assert!(!at("missing.vnp").exists());
    assert!(names(&at("real")).is_empty());
    // Links in the directories above are followed.
    symlink("real", at("link")).unwrap();
    atomic_save(&at("link/a.vnp"), &sample()).unwrap();
    assert_eq!(names(&at("real")), ["a.vnp"]);
}

#[cfg(unix)]
#[test]
fn a_file_that_may_not_be_written_to_is_replaced() {
    use std::os::unix::fs::PermissionsExt;
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("a.vnp");
    atomic_save(&path, &numbered(1)).unwrap();
    fs::hard_link(&path, directory.path().join("kept.vnp")).unwrap();
    fs::set_permissions(&path, PermissionsExt::from_mode(0o444)).unwrap();
    atomic_save(&path, &sample()).unwrap();
    let kept = load_with_compatibility(&directory.path().join("kept.vnp"), &Limits::default());
    assert_eq!(kept.unwrap(), numbered(1), "the other name of the old file");
}

#[test]
fn what_a_killed_writer_left_is_left_alone() {
    let directory = tempfile::tempdir().unwrap();
    let stale = directory.path().join(".atomicwriteAAAAAA");
    fs::create_dir(&stale).unwrap();
    fs::write(stale.join("tmpfile.tmp"), b"half").unwrap();
    let path = directory.path().join("a.vnp");
    atomic_save(&path, &sample()).unwrap();
    assert_eq!(names(directory.path()), [".atomicwriteAAAAAA", "a.vnp"]);
    assert_eq!(fs::read(stale.join("tmpfile.tmp")).unwrap(), b"half");
}

#[test]
fn readers_see_whole_files_while_writers_write() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("a.vnp");
    atomic_save(&path, &numbered(0)).unwrap();
    let done = AtomicBool::new(false);
    let seen = std::thread::scope(|scope| {
        let writers: Vec<_> = (1..=2)
            .map(|number| {
                let (path, checkpoint) = (&path, numbered(number));
                scope.spawn(move || (0..20).for_each(|_| atomic_save(path, &checkpoint).unwrap()))
            })
            .collect();
        let reader = scope.spawn(|| {
            let mut seen = 0;
            while seen == 0 || !done.load(Ordering::Relaxed) {
                let read = load_with_compatibility(&path, &Limits::default()).unwrap();
                let bytes = read.tensor("t").unwrap().as_u8().unwrap();
                let number = bytes[0];
                assert!(bytes.iter().all(|&byte| byte == number));
                assert!(read.ids().iter().all(|id| id.starts_with(&format!("{number}/"))));
                seen += 1;
            }
            seen
        });
        writers.into_iter().for_each(|writer| writer.join().unwrap());
        done.store(true, Ordering::Relaxed);
        reader.join().unwrap()
    });
    assert!(seen > 0);
    assert_eq!(names(directory.path()), ["a.vnp"]);
}

#[test]
fn loading_changes_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("a.vnp");
    fs::write(&path, encode(&sample())).unwrap();
    let modified = || fs::metadata(&path).unwrap().modified().unwrap();
    let (bytes, time) = (fs::read(&path).unwrap(), modified());
    load_with_compatibility(&path, &Limits::default()).unwrap();
    read_header(&path, &Limits::default()).unwrap();
    vnp_ckpt::verify_digests(&path, &Limits::default()).unwrap();
    assert_eq!((fs::read(&path).unwrap(), modified()), (bytes, time));
    assert_eq!(names(directory.path()), ["a.vnp"]);
}
