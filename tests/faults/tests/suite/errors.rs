//! Errors, short writes and lies at every system call of a save that touches files.

use std::collections::BTreeMap;

use vnp_faults::{Call, Calls, Errno, Fault, Harm, Trace};

use crate::support::{BEGINS, Bench, DONE, State, TARGET, tell};

/// What the saver says of its save.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Said {
    Saved,
    NotCommitted,
    Uncertain,
    Nothing,
}

fn said(trace: &Trace) -> Said {
    let text = trace.stdout.replace(BEGINS, "");
    match trace.status.code() {
        Some(0) if text.contains(DONE) => Said::Saved,
        Some(1) if text.contains("not committed") => Said::NotCommitted,
        Some(1) if text.contains("uncertain") => Said::Uncertain,
        _ => Said::Nothing,
    }
}

/// What may go wrong with a call.
fn harms(call: &Call) -> Vec<Harm> {
    // Closing a directory cannot fail, and std panics where it does.
    let is_directory = call.file.as_ref().is_some_and(|file| file.extension().is_none());
    if call.name == "close" && is_directory {
        return Vec::new();
    }
    let mut harms = vec![Harm::Error(Errno::EIO)];
    let more: &[Errno] = match call.name {
        "write" | "pwrite64" => &[Errno::ENOSPC, Errno::EINTR],
        "openat" => &[Errno::EACCES, Errno::EMFILE, Errno::ENOSPC, Errno::EINTR],
        "mkdir" => &[Errno::EACCES, Errno::ENOSPC],
        "renameat" | "rename" | "renameat2" => &[Errno::EXDEV, Errno::EACCES, Errno::ENOSPC],
        "read" | "pread64" | "fsync" => &[Errno::EINTR],
        _ => &[],
    };
    harms.extend(more.iter().map(|errno| Harm::Error(*errno)));
    if call.can_be_short {
        harms.push(Harm::Short);
    }
    match call.name {
        "write" | "pwrite64" => {
            harms.push(Harm::Lie);
            harms.push(Harm::ErrorFromHereOn(Errno::ENOSPC));
        }
        // An error that does not go away: nor can be cleaned up.
        "mkdir" | "openat" | "fsync" | "rename" | "renameat" => {
            harms.push(Harm::ErrorFromHereOn(Errno::EIO));
        }
        _ => {}
    }
    harms
}

/// A fault, the call that it is for, and whether the new file has its name by then.
struct Case {
    call: Call,
    fault: Fault,
    renamed: bool,
}

/// Every fault at every call, by its name and number among those of that name.
fn cases(calls: &[Call]) -> Vec<Case> {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    let mut cases = Vec::new();
    let mut renamed = false;
    for call in calls.iter().filter(|call| call.file.is_some()) {
        let nth = counts.entry(call.name).or_default();
        *nth += 1;
        for harm in harms(call) {
            let fault = Fault { calls: Calls::Named(call.name), nth: *nth, harm };
            cases.push(Case { call: call.clone(), fault, renamed });
        }
        renamed = renamed || call.name.starts_with("rename");
    }
    cases
}

/// What is promised to whoever meets this fault; nothing where several things are right.
fn promised(Case { call, fault, renamed }: &Case) -> Option<Said> {
    match (fault.harm, call.name) {
        // Tried again, or gone on with.
        (Harm::Short | Harm::Error(Errno::EINTR), _) => Some(Said::Saved),
        // Found when the file is read back.
        (Harm::Lie, _) => Some(Said::NotCommitted),
        (_, "write" | "pwrite64" | "mkdir" | "rename" | "renameat" | "renameat2") => {
            Some(Said::NotCommitted)
        }
        (_, "openat") if !renamed => Some(Said::NotCommitted),
        (_, "fsync") if is_in_temporary(call, "tmpfile.tmp") => Some(Said::NotCommitted),
        (_, "fsync") => Some(Said::Uncertain),
        // The read-back.
        (_, "read" | "pread64" | "lseek") => Some(Said::NotCommitted),
        // The save is done, or has failed for another reason: what cannot be cleaned is swept.
        (_, "rmdir" | "unlink" | "unlinkat" | "openat" | "close") => Some(Said::Saved),
        _ => None,
    }
}

fn is_in_temporary(call: &Call, name: &str) -> bool {
    call.file.as_ref().is_some_and(|file| file.ends_with(name))
}

#[test]
fn a_save_says_what_became_of_it_whatever_fails() {
    let Some(bench) = Bench::new() else { return };
    let calls = bench.tracer().run(&bench.saver("save")).unwrap().calls;
    let cases = cases(&calls);
    let mut counts: BTreeMap<Said, usize> = BTreeMap::new();
    let mut temporaries = 0;
    for case in &cases {
        let Case { call, fault, .. } = case;
        let trace = bench.hurt("save", fault);
        let what = format!("{fault} ({:?}): {}{}", call.file, trace.stdout, trace.stderr);
        assert!(trace.hurt.is_some(), "it did not come to {what}");
        let said = said(&trace);
        *counts.entry(said).or_default() += 1;
        let expected = match said {
            Said::Saved | Said::Uncertain => State::New,
            Said::NotCommitted => State::Old,
            Said::Nothing => panic!("{what}"),
        };
        assert_eq!(bench.state(), expected, "{what}");
        if let Some(promised) = promised(case) {
            assert_eq!(said, promised, "{what}");
        }
        if said != Said::Saved {
            assert!(trace.stderr.contains(TARGET), "the message names no file: {what}");
            if let Harm::Error(errno) | Harm::ErrorFromHereOn(errno) = fault.harm {
                assert!(trace.stderr.contains(&errno.to_string()), "no reason in {what}");
            }
        }
        // Only what could not be removed is left.
        let left = bench.temporaries();
        let was_cleanup = ["rmdir", "unlink", "unlinkat", "openat", "getdents64", "close", "fcntl"];
        assert!(
            left == 0 || was_cleanup.contains(&call.name) || call.name.contains("stat"),
            "{what}"
        );
        temporaries += left;
        bench.recover(&what);
    }
    let of = |said| counts.get(&said).copied().unwrap_or(0);
    tell(&format!(
        "{} errors, short writes and lies at every file call of a save: {} saved, {} not \
         committed, {} durability uncertain, 0 torn, {temporaries} temporaries left, all swept",
        cases.len(),
        of(Said::Saved),
        of(Said::NotCommitted),
        of(Said::Uncertain),
    ));
    assert!(of(Said::Saved) >= 10 && of(Said::NotCommitted) >= 30 && of(Said::Uncertain) >= 2);
}
