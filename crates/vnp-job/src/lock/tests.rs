//! The lock with and without locks of the system.

use std::time::{Duration, SystemTime};

use super::*;

/// A directory for one test, and the lock in it.
fn place() -> (tempfile::TempDir, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("lock");
    (dir, path)
}

/// Takes the lock as on a file system that answers with an error number.
fn without_locks(path: &Path, errno: i32) -> Result<Lock, NotTaken> {
    Lock::take_with(path, |_| Err(TryLockError::Error(io::Error::from_raw_os_error(errno))))
}

const ENOLCK: i32 = 37;

fn names(dir: &tempfile::TempDir) -> Vec<String> {
    let listing = std::fs::read_dir(dir.path()).unwrap();
    let mut names: Vec<String> =
        listing.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

/// What a process on another machine would have written.
fn elsewhere() -> String {
    let json = "{\"nonce\":\"x\",\"host\":\"elsewhere\",\"process\":1,\"since\":\"then\"}";
    format!("process 1 on elsewhere since then\n{json}\n")
}

fn write_long_ago(path: &Path, text: &str, ago: Duration) {
    std::fs::write(path, text).unwrap();
    let file = std::fs::File::options().write(true).open(path).unwrap();
    file.set_modified(SystemTime::now() - ago).unwrap();
}

#[track_caller]
fn holder_of(taken: Result<Lock, NotTaken>) -> String {
    match taken {
        Err(NotTaken::Held(holder)) => holder,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_second_holder_is_told_who_the_first_is() {
    let (_dir, path) = place();
    let first = Lock::take(&path).unwrap();
    let holder = holder_of(Lock::take(&path));
    assert!(holder.starts_with(&format!("process {} on ", std::process::id())), "{holder}");
    assert_eq!(held_by(&path), Some(holder));
    drop(first);
    assert_eq!(held_by(&path), None);
    Lock::take(&path).unwrap();
}

#[test]
fn a_file_left_by_a_dead_process_blocks_no_one() {
    let (dir, path) = place();
    std::fs::write(&path, "process 1 on elsewhere since 2020-01-01T00:00:00Z\n").unwrap();
    Lock::take(&path).unwrap();
    assert_eq!(names(&dir), ["lock"]);
}

#[cfg(unix)]
#[test]
fn a_file_that_was_removed_is_no_longer_the_lock() {
    let (_dir, path) = place();
    // Whoever locks a removed file takes the one that is there now.
    let removed = std::cell::Cell::new(false);
    let lock = Lock::take_with(&path, |file| {
        if !removed.replace(true) {
            std::fs::remove_file(&path).unwrap();
        }
        file.file().try_lock()
    })
    .unwrap();
    let Held::System(lock) = &lock.held else { panic!("{lock:?}") };
    assert!(lock.is_at(&path));
    std::fs::remove_file(&path).unwrap();
    assert!(!lock.is_at(&path));
    std::fs::write(&path, "").unwrap();
    assert!(!lock.is_at(&path));
}

#[cfg(unix)]
#[test]
fn files_of_others_are_neither_emptied_nor_locked() {
    let (dir, path) = place();
    let other = dir.path().join("other");
    std::fs::write(&other, "mine").unwrap();
    std::os::unix::fs::symlink(&other, &path).unwrap();
    let Err(NotTaken::Io(error)) = Lock::take(&path) else { panic!("taken") };
    assert!(error.to_string().contains("symbolic link"), "{error}");
    std::fs::remove_file(&path).unwrap();
    std::fs::hard_link(&other, &path).unwrap();
    let Err(NotTaken::Io(error)) = Lock::take(&path) else { panic!("taken") };
    assert!(error.to_string().contains("is not a lock file"), "{error}");
    assert_eq!(std::fs::read(&other).unwrap(), b"mine");
    // A link to nothing creates nothing.
    std::fs::remove_file(&path).unwrap();
    std::os::unix::fs::symlink(dir.path().join("none"), &path).unwrap();
    assert!(Lock::take(&path).is_err());
    assert_eq!(names(&dir), ["lock", "other"]);
}

#[cfg(target_os = "linux")]
#[test]
fn without_locks_a_claim_keeps_others_out() {
    for errno in [ENOLCK, 38, 95, 524, 22] {
        let (dir, path) = place();
        let first = without_locks(&path, errno).unwrap();
        assert_eq!(names(&dir), ["lock", "lock.claim"]);
        let holder = holder_of(without_locks(&path, errno));
        assert!(holder.starts_with("process "), "{holder}");
        assert_eq!(held_by(&path), Some(holder));
        first.check().unwrap();
        drop(first);
        assert_eq!(names(&dir), ["lock"]);
        without_locks(&path, errno).unwrap();
    }
    let (_dir, path) = place();
    let Err(NotTaken::Io(error)) = without_locks(&path, 5) else { panic!("taken") };
    assert!(error.to_string().contains("lock"), "{error}");
}

#[cfg(target_os = "linux")]
#[test]
fn machines_with_and_without_locks_see_each_other() {
    let (dir, path) = place();
    let locked = Lock::take(&path).unwrap();
    holder_of(without_locks(&path, ENOLCK));
    drop(locked);
    let claimed = without_locks(&path, ENOLCK).unwrap();
    holder_of(Lock::take(&path));
    drop(claimed);
    assert_eq!(names(&dir), ["lock"]);
    // The holder of the system's lock was on another machine.
    std::fs::write(&path, elsewhere()).unwrap();
    assert_eq!(holder_of(without_locks(&path, ENOLCK)), "process 1 on elsewhere since then");
    write_long_ago(&path, &elsewhere(), Duration::from_secs(601));
    drop(without_locks(&path, ENOLCK).unwrap());
    assert_eq!(std::fs::read(&path).unwrap(), b"");
    assert_eq!(names(&dir), ["lock"]);
}

#[cfg(target_os = "linux")]
#[test]
fn a_stale_claim_is_taken_over_and_one_in_use_is_not() {
    let (dir, path) = place();
    let claim = claim_of(&path);
    let check = |text: &str, ago: u64, is_free: bool| {
        for has_locks in [true, false] {
            write_long_ago(&claim, text, Duration::from_secs(ago));
            let taken = match has_locks {
                true => Lock::take(&path),
                false => without_locks(&path, ENOLCK),
            };
            assert_eq!(taken.is_ok(), is_free, "{text} {ago}: {taken:?}");
            drop(taken);
            match is_free {
                true => assert_eq!(names(&dir), ["lock"]),
                false => assert_eq!(std::fs::read_to_string(&claim).unwrap(), text),
            }
        }
    };
    check(&elsewhere(), 0, false);
    check(&elsewhere(), 590, false);
    check(&elsewhere(), 610, true);
    // Half of a text has no owner, and only its age counts.
    check("process 1 on", 0, false);
    check("", 590, false);
    check("", 610, true);
    // This process is at work, and one of another number is not.
    let own = owner::Owner::this_process().text();
    check(&own, 0, false);
    let number = format!("\"process\":{}", std::process::id());
    check(&own.replace(&number, "\"process\":4194999"), 0, true);
    // A time in the future: the clock was put back.
    std::fs::write(&claim, elsewhere()).unwrap();
    let file = std::fs::File::options().write(true).open(&claim).unwrap();
    file.set_modified(SystemTime::now() + Duration::from_secs(3600)).unwrap();
    without_locks(&path, ENOLCK).unwrap();
}

#[cfg(target_os = "linux")]
#[test]
fn a_claim_that_was_taken_over_is_noticed_and_left_alone() {
    let (dir, path) = place();
    let lock = without_locks(&path, ENOLCK).unwrap();
    std::fs::write(claim_of(&path), elsewhere()).unwrap();
    let Err(NotTaken::Held(holder)) = lock.check() else { panic!("not noticed") };
    assert_eq!(holder, "process 1 on elsewhere since then");
    drop(lock);
    assert_eq!(std::fs::read_to_string(claim_of(&path)).unwrap(), elsewhere());
    std::fs::remove_file(claim_of(&path)).unwrap();
    let lock = without_locks(&path, ENOLCK).unwrap();
    std::fs::remove_file(claim_of(&path)).unwrap();
    assert!(lock.check().is_err());
    assert_eq!(names(&dir), ["lock"]);
}

#[test]
fn a_lock_is_known_by_its_contents() {
    let (dir, path) = place();
    assert!(!is_lock(&path));
    let check = |text: &str, expected: bool| {
        std::fs::write(&path, text).unwrap();
        assert_eq!(is_lock(&path), expected, "{text:?}");
    };
    check("", true);
    check("process 1 on x since then\n", true);
    check("\0\0\0", true);
    check("npm", false);
    let claim = claim_of(&path);
    assert!(is_of_lock(&path, &path) && is_of_lock(&claim, &path));
    assert!(!is_of_lock(&dir.path().join("lock.claim.x"), &path));
}
