//! Faults injected into the system calls of a save, where `strace` is there to do it.
//!
//! The save runs in a child process: this test binary, asked for the one test that saves.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Output};

use fs_err as fs;
use vnp_ckpt::{Error, ErrorKind, Limits, atomic_save, load_with_compatibility};

use crate::support::{builder, sample};

const TARGET: &str = "VNP_CKPT_TEST_TARGET";

/// How many writes the child makes before it saves.
const AHEAD: usize = 100;

/// Not a test of its own: what the child does. Prints which of the errors it met.
#[test]
fn child() {
    let Some(target) = std::env::var_os(TARGET) else {
        return;
    };
    // Faults are counted for each thread: from here on this one is ahead of the one that prints.
    let mut sink = fs::OpenOptions::new().write(true).open("/dev/null").unwrap();
    (0..AHEAD).for_each(|_| sink.write_all(b"x").unwrap());
    match atomic_save(Path::new(&target), &sample()).map_err(Error::into_kind) {
        Ok(()) => println!("outcome: saved"),
        Err(ErrorKind::NotCommitted { .. }) => println!("outcome: not committed"),
        Err(ErrorKind::DurabilityUncertain { .. }) => println!("outcome: durability uncertain"),
        Err(other) => println!("outcome: {other}"),
    }
}

fn strace(arguments: &[&str], target: &Path) -> std::io::Result<Output> {
    Command::new("strace")
        .args(["-f", "-qq", "-o", "/dev/null"])
        .args(arguments)
        .arg(std::env::current_exe()?)
        .args(["--exact", "faults::child", "--nocapture", "--test-threads=1"])
        .env(TARGET, target)
        .output()
}

/// A directory to trace saves in, where they can be traced.
fn traced_directory() -> Option<tempfile::TempDir> {
    let directory = tempfile::tempdir().unwrap();
    let probe = strace(&["-e", "trace=fsync"], &directory.path().join("probe.vnp"));
    if !probe.is_ok_and(|output| outcome(&output) == "saved") {
        println!("skipped: strace is not here, or may not trace");
        return None;
    }
    Some(directory)
}

fn outcome(output: &Output) -> String {
    let text = String::from_utf8_lossy(&output.stdout);
    let outcome = text.lines().find_map(|line| Some(line.split_once("outcome: ")?.1.to_owned()));
    outcome.unwrap_or_else(|| format!("none: {text}{}", String::from_utf8_lossy(&output.stderr)))
}

fn temporaries(directory: &Path) -> usize {
    let entries = fs::read_dir(directory).unwrap();
    entries
        .filter(|entry| {
            let name = entry.as_ref().unwrap().file_name();
            name.to_string_lossy().starts_with(".atomicwrite")
        })
        .count()
}

/// Injects `fault` into a save over an older file; says what the save reported and which of the
/// two files is there afterwards.
fn faulted(fault: &str) -> (String, &'static str) {
    let directory = tempfile::tempdir().unwrap();
    let target = directory.path().join("a.vnp");
    let old = builder().metadata("which", "old").build().unwrap();
    atomic_save(&target, &old).unwrap();
    let call = fault.split(':').next().unwrap();
    let output =
        strace(&["-e", &format!("trace={call}"), "-e", &format!("inject={fault}")], &target);
    let read = load_with_compatibility(&target, &Limits::default()).unwrap();
    assert_eq!(temporaries(directory.path()), 0, "{fault}");
    let which = match () {
        () if read == old => "old",
        () if read == sample() => "new",
        () => "neither",
    };
    (outcome(&output.unwrap()), which)
}

#[track_caller]
fn check(fault: &str, expected: (&str, &str)) {
    let (outcome, which) = faulted(fault);
    assert_eq!((outcome.as_str(), which), expected, "{fault}");
}

#[test]
fn errors_say_which_file_is_there() {
    let Some(_directory) = traced_directory() else { return };
    // The file is synced first, then the temporary directory, then the file's own.
    check("fsync:error=EIO:when=1", ("not committed", "old"));
    check("fsync:error=EIO:when=2", ("durability uncertain", "new"));
    check("fsync:error=EIO:when=3", ("durability uncertain", "new"));
    check("fsync:error=EIO:when=4", ("saved", "new"));
    check("/^rename:error=EXDEV", ("not committed", "old"));
    check("/^rename:error=EIO", ("not committed", "old"));
    check("/^mkdir:error=EACCES", ("not committed", "old"));
}

#[test]
fn a_kill_leaves_the_old_file_and_a_temporary_to_sweep() {
    let Some(directory) = traced_directory() else { return };
    let target = directory.path().join("a.vnp");
    let old = builder().build().unwrap();
    atomic_save(&target, &old).unwrap();
    strace(&["-e", "trace=fsync", "-e", "inject=fsync:signal=KILL:when=1"], &target).unwrap();
    assert_eq!(load_with_compatibility(&target, &Limits::default()).unwrap(), old);
    assert_eq!(temporaries(directory.path()), 1);
    assert_eq!(vnp_ckpt::sweep_stale_temporaries(directory.path()).unwrap().len(), 1);
    assert_eq!(temporaries(directory.path()), 0);
}

#[test]
fn a_write_that_only_claims_to_have_written_is_found() {
    let Some(directory) = traced_directory() else { return };
    for (when, length) in writes_of_a_save(directory.path()) {
        check(&format!("write:retval={length}:when={when}"), ("not committed", "old"));
    }
}

#[test]
fn a_disk_that_is_full_or_fails_leaves_the_old_file() {
    let Some(directory) = traced_directory() else { return };
    for (when, length) in writes_of_a_save(directory.path()) {
        check(&format!("write:error=ENOSPC:when={when}"), ("not committed", "old"));
        check(&format!("write:error=EIO:when={when}"), ("not committed", "old"));
        // Interrupted and half-done writes are gone on with; half of it is a lie here.
        check(&format!("write:error=EINTR:when={when}"), ("saved", "new"));
        check(&format!("write:retval={}:when={when}", length / 2), ("not committed", "old"));
    }
}

/// Which writes a save makes, and how much each writes.
fn writes_of_a_save(directory: &Path) -> Vec<(usize, usize)> {
    let log = directory.join("log");
    let arguments = ["-e", "trace=write", "-o", log.to_str().unwrap()];
    strace(&arguments, &directory.join("a.vnp")).unwrap();
    let writes = file_writes(&fs::read_to_string(log).unwrap());
    assert!(writes.len() >= 4, "{writes:?}");
    writes
}

/// Of the writes in a log of `strace -f`, those of the save: which of its thread's writes
/// each is, and how much it wrote.
fn file_writes(log: &str) -> Vec<(usize, usize)> {
    let mut counts = std::collections::BTreeMap::new();
    let mut writes = Vec::new();
    for line in log.lines() {
        let Some((thread, call)) = line.split_once(" write(") else {
            continue;
        };
        let count = counts.entry(thread.trim().to_owned()).or_insert(0);
        *count += 1;
        let (descriptor, _) = call.split_once(',').unwrap();
        let (_, length) = call.rsplit_once("= ").unwrap();
        if descriptor.trim().parse::<u32>().unwrap() > 2 && *count > AHEAD {
            writes.push((*count, length.trim().parse().unwrap()));
        }
    }
    writes
}
