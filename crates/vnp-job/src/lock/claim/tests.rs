//! Claims by themselves: kept alive, contended for, taken away by mistake.

use std::sync::atomic::AtomicUsize;

use super::*;

fn place() -> (tempfile::TempDir, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("claim");
    (dir, path)
}

#[test]
fn a_claim_is_kept_alive_while_it_is_held() {
    let (_dir, path) = place();
    let claim = Claim::take(&path, Duration::from_millis(100)).unwrap();
    let modified = || std::fs::metadata(&path).unwrap().modified().unwrap();
    let (first, text) = (modified(), std::fs::read(&path).unwrap());
    for _ in 0..400 {
        if modified() > first {
            break;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    assert!(modified() > first);
    assert_eq!(std::fs::read(&path).unwrap(), text);
    claim.check().unwrap();
    drop(claim);
    assert!(!path.exists());
}

#[test]
fn of_many_at_once_one_has_it() {
    let (dir, path) = place();
    let (holders, most) = (AtomicUsize::new(0), AtomicUsize::new(0));
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                for _ in 0..40 {
                    let Ok(claim) = Claim::take(&path, STALE_AFTER) else { continue };
                    let now = holders.fetch_add(1, Ordering::SeqCst) + 1;
                    most.fetch_max(now, Ordering::SeqCst);
                    claim.check().unwrap();
                    holders.fetch_sub(1, Ordering::SeqCst);
                }
            });
        }
    });
    assert_eq!(most.load(Ordering::SeqCst), 1);
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
}

#[test]
fn a_claim_that_is_not_the_one_found_is_given_back() {
    let (dir, path) = place();
    std::fs::write(&path, "old").unwrap();
    let old = Found::at(&path).unwrap().unwrap();
    std::fs::remove_file(&path).unwrap();
    // Another process was faster.
    let claim = Claim::take(&path, STALE_AFTER).unwrap();
    take_away(&path, &old).unwrap();
    claim.check().unwrap();
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1);
    let own = Found::at(&path).unwrap().unwrap();
    take_away(&path, &own).unwrap();
    assert!(!path.exists());
    take_away(&path, &own).unwrap();
}

#[test]
fn without_links_a_claim_is_created() {
    let (dir, path) = place();
    let mark = Mark::write(&path, Owner::this_process()).unwrap();
    let file = mark.create(&path).unwrap();
    assert!(file.is_some() && mark.create(&path).unwrap().is_none());
    assert_eq!(std::fs::read_to_string(&path).unwrap(), mark.owner.text());
    drop(mark);
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1);
}

#[test]
fn an_answer_that_was_lost_is_found() {
    let (_dir, path) = place();
    let mark = Mark::write(&path, Owner::this_process()).unwrap();
    std::fs::hard_link(&mark.path, &path).unwrap();
    assert!(mark.place(&path).unwrap().is_some());
}

#[cfg(target_os = "linux")]
#[test]
fn marks_of_killed_processes_are_removed_and_those_of_others_stay() {
    let (dir, path) = place();
    let owner = Owner::this_process();
    let other = Mark::write(&path, owner.clone()).unwrap();
    let dead = beside(&path, "0123456789abcdef0123456789abcdef");
    let number = format!("\"process\":{}", std::process::id());
    std::fs::write(&dead, owner.text().replace(&number, "\"process\":4194999")).unwrap();
    let theirs = dir.path().join("claim.notes");
    std::fs::write(&theirs, "x").unwrap();
    sweep(&path, STALE_AFTER).unwrap();
    assert!(!dead.exists());
    assert!(other.path.exists() && theirs.exists());
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 2);
}

/// The claim of a process that has ended is found by many at once. Two may take it in turn, but of those
/// that hold it at one time only one still finds its nonce.
#[cfg(target_os = "linux")]
#[test]
fn of_many_that_find_a_stale_claim_one_keeps_it() {
    let number = format!("\"process\":{}", std::process::id());
    for _ in 0..25 {
        let (dir, path) = place();
        let dead = Owner::this_process().text().replace(&number, "\"process\":4194999");
        std::fs::write(&path, dead).unwrap();
        let barrier = std::sync::Barrier::new(6);
        let claims: Vec<Claim> = std::thread::scope(|scope| {
            let take = || {
                barrier.wait();
                Claim::take(&path, STALE_AFTER).ok()
            };
            let threads: Vec<_> = (0..6).map(|_| scope.spawn(take)).collect();
            threads.into_iter().filter_map(|thread| thread.join().unwrap()).collect()
        });
        let kept = claims.iter().filter(|claim| claim.check().is_ok()).count();
        assert_eq!(kept, 1, "of {}", claims.len());
        drop(claims);
        sweep(&path, STALE_AFTER).unwrap();
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
    }
}
