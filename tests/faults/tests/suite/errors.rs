//! Errors, short writes and lies at every system call of a save that touches files.

use std::collections::BTreeMap;

use vnp_faults::{Call, Calls, Errno, Fault, Harm, Trace};

use crate::support::{BEGINS, Bench, DONE, State, TARGET, report};

/// The outcome that the saver prints.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Outcome {
    Saved,
    NotCommitted,
    Uncertain,
    Nothing,
}

fn outcome(trace: &Trace) -> Outcome {
    let text = trace.stdout.replace(BEGINS, "");
    match trace.status.code() {
        Some(0) if text.contains(DONE) => Outcome::Saved,
        Some(1) if text.contains("not committed") => Outcome::NotCommitted,
        Some(1) if text.contains("uncertain") => Outcome::Uncertain,
        _ => Outcome::Nothing,
    }
}

/// The harms that can be done to a call.
fn harms(call: &Call) -> Vec<Harm> {
    // Closing a directory cannot fail, and std panics if it does.
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
        // A persistent error: the temporary cannot be removed either.
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

/// The outcome that is promised for this fault; `None` if several are right.
fn promised(Case { call, fault, renamed }: &Case) -> Option<Outcome> {
    match (fault.harm, call.name) {
        // The call is repeated, or continued.
        (Harm::Short | Harm::Error(Errno::EINTR), _) => Some(Outcome::Saved),
        // Detected when the file is read back.
        (Harm::Lie, _) => Some(Outcome::NotCommitted),
        (_, "write" | "pwrite64" | "mkdir" | "rename" | "renameat" | "renameat2") => {
            Some(Outcome::NotCommitted)
        }
        (_, "openat") if !renamed => Some(Outcome::NotCommitted),
        (_, "fsync") if is_in_temporary(call, "tmpfile.tmp") => Some(Outcome::NotCommitted),
        (_, "fsync") => Some(Outcome::Uncertain),
        // The read-back.
        (_, "read" | "pread64" | "lseek") => Some(Outcome::NotCommitted),
        // The save is done, or has failed for another reason; a later sweep removes what is left.
        (_, "rmdir" | "unlink" | "unlinkat" | "openat" | "close") => Some(Outcome::Saved),
        _ => None,
    }
}

fn is_in_temporary(call: &Call, name: &str) -> bool {
    call.file.as_ref().is_some_and(|file| file.ends_with(name))
}

#[test]
fn a_save_reports_its_outcome_whatever_fails() {
    let Some(bench) = Bench::new() else { return };
    let calls = bench.tracer().run(&bench.saver("save")).unwrap().calls;
    let cases = cases(&calls);
    let mut counts: BTreeMap<Outcome, usize> = BTreeMap::new();
    let mut temporaries = 0;
    for case in &cases {
        let Case { call, fault, .. } = case;
        let trace = bench.hurt("save", fault);
        let what = format!("{fault} ({:?}): {}{}", call.file, trace.stdout, trace.stderr);
        assert!(trace.hurt.is_some(), "the command ended before {what}");
        let outcome = outcome(&trace);
        *counts.entry(outcome).or_default() += 1;
        let expected = match outcome {
            Outcome::Saved | Outcome::Uncertain => State::New,
            Outcome::NotCommitted => State::Old,
            Outcome::Nothing => panic!("{what}"),
        };
        assert_eq!(bench.state(), expected, "{what}");
        if let Some(promised) = promised(case) {
            assert_eq!(outcome, promised, "{what}");
        }
        if outcome != Outcome::Saved {
            assert!(trace.stderr.contains(TARGET), "the message names no file: {what}");
            if let Harm::Error(errno) | Harm::ErrorFromHereOn(errno) = fault.harm {
                assert!(trace.stderr.contains(&errno.to_string()), "no reason in {what}");
            }
        }
        // A temporary is left only if it could not be removed.
        let left = bench.temporaries();
        let was_cleanup = ["rmdir", "unlink", "unlinkat", "openat", "getdents64", "close", "fcntl"];
        assert!(
            left == 0 || was_cleanup.contains(&call.name) || call.name.contains("stat"),
            "{what}"
        );
        temporaries += left;
        bench.recover(&what);
    }
    let of = |outcome| counts.get(&outcome).copied().unwrap_or(0);
    report(&format!(
        "{} errors, short writes and lies at every file call of a save: {} saved, {} not \
         committed, {} durability uncertain, 0 torn, {temporaries} temporaries left, all removed",
        cases.len(),
        of(Outcome::Saved),
        of(Outcome::NotCommitted),
        of(Outcome::Uncertain),
    ));
    assert!(
        of(Outcome::Saved) >= 10 && of(Outcome::NotCommitted) >= 30 && of(Outcome::Uncertain) >= 2
    );
}
