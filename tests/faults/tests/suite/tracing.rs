//! Tests of the tracer: it records what a command does, and its faults reach the command.

use std::os::unix::process::ExitStatusExt;
use std::process::Command;

use fs_err as fs;
use vnp_faults::{Calls, Errno, Error, Event, Fault, Harm, Trace, Tracer};

use crate::support::Bench;

/// Runs a shell script in the bench's directory.
fn script(bench: &Bench, text: &str, fault: Option<Fault>) -> Result<Trace, Error> {
    let mut command = Command::new("/bin/sh");
    command.args(["-c", text]).current_dir(bench.path());
    let mut tracer = Tracer::new(bench.path()).record();
    if let Some(fault) = fault {
        tracer = tracer.fault(fault);
    }
    tracer.run(&command)
}

fn fault(name: &'static str, nth: usize, harm: Harm) -> Option<Fault> {
    Some(Fault { calls: Calls::Named(name), nth, harm })
}

#[test]
fn a_record_says_what_happened() {
    let Some(bench) = Bench::new() else { return };
    let trace = script(&bench, "mkdir d; echo hello >d/a; echo you >>d/a; mv d/a b; echo x", None);
    let trace = trace.unwrap();
    assert_eq!((trace.status.code(), trace.stdout.as_str()), (Some(0), "x\n"), "{}", trace.stderr);
    let events: Vec<_> = trace.record.events.iter().map(|(_, event)| event).collect();
    let [
        Event::CreateDirectory { at: (root, name), directory },
        Event::CreateFile { at: Some((parent, a)), file },
        Event::Write { file: first, offset: 0, data: hello },
        Event::Write { file: second, offset: 6, data: you },
        Event::Move { from: (from, _), to: (to, b) },
        Event::Printed { data: printed },
    ] = events.as_slice()
    else {
        panic!("{events:#?}")
    };
    assert_eq!((Some(*root), name.to_str()), (trace.record.root, Some("d")));
    assert_eq!((parent, a.to_str()), (directory, Some("a")));
    assert_eq!((first, second), (file, file));
    assert_eq!((hello.as_slice(), you.as_slice()), (&b"hello\n"[..], &b"you\n"[..]));
    assert_eq!((from, to, b.to_str()), (directory, root, Some("b")));
    assert_eq!(printed, b"x\n");
}

#[test]
fn faults_reach_the_command() {
    let Some(bench) = Bench::new() else { return };
    let run = |harm| script(&bench, "echo hello >a; echo $?", fault("write", 1, harm)).unwrap();
    let written = || fs::read(bench.path().join("a")).unwrap();

    let failed = run(Harm::Error(Errno::ENOSPC));
    assert!(failed.stderr.contains("I/O error"), "{}", failed.stderr);
    assert_eq!(failed.hurt.unwrap().result, -28);
    assert_eq!(written(), b"");

    let lied = run(Harm::Lie);
    assert_eq!((lied.stdout.as_str(), written()), ("0\n", b"".to_vec()));

    let short = run(Harm::Short);
    assert_eq!(short.hurt.unwrap().result, 3);
    assert_eq!(written(), b"hello\n", "the shell writes the rest");

    let killed = run(Harm::Kill);
    assert_eq!((killed.status.signal(), killed.stdout.as_str()), (Some(9), ""));
    assert_eq!(written(), b"");

    let midway = run(Harm::KillMidway);
    assert_eq!((midway.status.signal(), written()), (Some(9), b"hel".to_vec()));
}

#[test]
fn child_processes_are_followed_and_killed() {
    let Some(bench) = Bench::new() else { return };
    let text = "(echo one >a; echo two >b; sleep 60) & wait; echo three >c";
    let killed = script(&bench, text, fault("write", 2, Harm::Kill)).unwrap();
    assert_eq!(killed.status.signal(), Some(9));
    assert!(bench.path().join("b").exists() && !bench.path().join("c").exists());
}

#[test]
fn calls_unknown_to_the_model_are_errors() {
    let Some(bench) = Bench::new() else { return };
    let check = |text: &str, expected: &str| {
        bench.reset();
        match script(&bench, text, None) {
            Err(Error::NotModelled { call, .. }) => assert_eq!(call, expected, "{text}"),
            other => panic!("{text}: {other:?}"),
        }
    };
    check("ln -s x y", "symlinkat");
    check("truncate -s 9 x; fallocate -l 20 x; fallocate -p -l 5 x", "fallocate");
    check("mkfifo x", "mknodat");
    check("sync", "sync");
}

#[test]
fn a_missing_command_exits_with_127() {
    let Some(bench) = Bench::new() else { return };
    let trace = Tracer::new(bench.path()).run(&Command::new("/nonexistent")).unwrap();
    assert_eq!(trace.status.code(), Some(127));
    assert!(trace.calls.is_empty());
}
