//! Signals, which let a job save its work and end or go on, and two processes on one directory.

use std::io::Write as _;
use std::os::unix::process::ExitStatusExt as _;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::heard::is_heard;
use crate::support::{Bench, Nucleotides};

/// A run long enough to be interrupted.
fn long_run(bench: &Bench) -> Child {
    bench.write("in.fa", Nucleotides::new(21).fasta(250, 1_000));
    let messages = std::fs::File::create(bench.path("messages.txt")).unwrap();
    let words = ["predict", "in.fa", "-o", "out", "--checkpoint-rows", "64", "-v"];
    let child = bench.command(&words).stdout(Stdio::null()).stderr(messages).spawn().unwrap();
    let patience = Instant::now() + Duration::from_secs(120);
    while !messages_of(bench).contains(" computed ") {
        assert!(Instant::now() < patience, "nothing computed:\n{}", messages_of(bench));
        std::thread::sleep(Duration::from_millis(5));
    }
    child
}

pub(crate) fn messages_of(bench: &Bench) -> String {
    std::fs::read_to_string(bench.path("messages.txt")).unwrap()
}

pub(crate) fn send(signal: &str, child: &Child) {
    let status = Command::new("kill").arg(signal).arg(child.id().to_string()).status().unwrap();
    assert!(status.success());
}

/// The last line of the messages.
pub(crate) fn last_line(bench: &Bench) -> String {
    messages_of(bench).lines().last().unwrap_or_default().to_owned()
}

/// Waits until the child has ended, which must not take long.
#[track_caller]
pub(crate) fn ends_soon(child: &mut Child) -> Option<i32> {
    let patience = Instant::now() + Duration::from_secs(20);
    loop {
        if let Some(status) = child.try_wait().unwrap() {
            assert_eq!(status.signal(), None, "it was killed");
            return status.code();
        }
        assert!(Instant::now() < patience, "it goes on");
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[track_caller]
fn check(signal: &str, code: i32, cause: &str) {
    if !is_heard(signal) {
        return;
    }
    let bench = Bench::new();
    let mut child = long_run(&bench);
    send(signal, &child);
    assert_eq!(ends_soon(&mut child), Some(code), "{}", messages_of(&bench));
    let last = last_line(&bench);
    assert!(last.contains(&format!("interrupted by {cause}")), "{last}");
    assert!(last.contains("continue with --resume"), "{last}");
    assert!(!bench.path("out/prediction_results.txt").exists());
    let saved: usize =
        ["nucleotide", "protein", "scores"].iter().map(|s| bench.parts("out", s).len()).sum();
    assert!(saved > 0, "the work so far was not saved");
    bench
        .vnp(&["predict", "in.fa", "-o", "out", "--resume"])
        .expect(0, &[" checkpoints present, 0 bad, "]);
    bench.vnp(&["predict", "in.fa", "-o", "undisturbed"]).expect(0, &[]);
    assert_eq!(bench.results("out"), bench.results("undisturbed"));
}

#[test]
fn sigint_saves_and_exits_130() {
    check("-INT", 130, "SIGINT");
}

#[test]
fn sigterm_saves_and_exits_143() {
    check("-TERM", 143, "SIGTERM");
}

#[test]
fn sighup_saves_and_exits_143() {
    check("-HUP", 143, "SIGHUP (the terminal or session was closed)");
}

#[test]
fn sigxcpu_saves_and_exits_143() {
    check("-XCPU", 143, "SIGXCPU (CPU time limit)");
}

/// Further ones of these come by themselves, and do not end the job at once.
#[test]
fn sighup_and_sigxcpu_may_come_again() {
    for signal in ["-HUP", "-XCPU"].into_iter().filter(|signal| is_heard(signal)) {
        let bench = Bench::new();
        let mut child = long_run(&bench);
        send("-STOP", &child);
        send(signal, &child);
        send("-CONT", &child);
        // It may have ended already.
        drop(Command::new("kill").arg(signal).arg(child.id().to_string()).output());
        assert_eq!(ends_soon(&mut child), Some(143), "{}", messages_of(&bench));
        assert!(last_line(&bench).contains("continue with --resume"), "{}", messages_of(&bench));
    }
}

#[test]
fn nohup_stays_in_force() {
    let bench = Bench::new();
    bench.write("in.fa", Nucleotides::new(21).fasta(60, 1_000));
    let mut shell = Command::new("sh");
    let line = format!(
        "trap '' HUP; exec {} predict in.fa -o out --checkpoint-rows 16 -v",
        env!("CARGO_BIN_EXE_vnp")
    );
    let messages = std::fs::File::create(bench.path("messages.txt")).unwrap();
    shell.args(["-c", &line]).current_dir(bench.path(".")).stdin(Stdio::null()).stderr(messages);
    let mut child = shell.spawn().unwrap();
    wait_for(&bench, " computed ");
    send("-HUP", &child);
    assert!(child.wait().unwrap().success(), "{}", messages_of(&bench));
}

pub(crate) fn wait_for(bench: &Bench, text: &str) {
    let patience = Instant::now() + Duration::from_secs(120);
    while !messages_of(bench).contains(text) {
        assert!(Instant::now() < patience, "no {text:?}:\n{}", messages_of(bench));
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// Starts a job with its messages in a file.
pub(crate) fn start(bench: &Bench, words: &[&str], stdin: Stdio) -> Child {
    let messages = std::fs::File::create(bench.path("messages.txt")).unwrap();
    let mut command = bench.command(words);
    command.stdin(stdin).stdout(Stdio::null()).stderr(messages).spawn().unwrap()
}

#[test]
fn sigusr1_saves_and_goes_on() {
    let bench = Bench::new();
    bench.write("in.fa", Nucleotides::new(21).fasta(250, 1_000));
    bench.vnp(&["predict", "in.fa", "-o", "undisturbed", "--keep-embeddings"]).expect(0, &[]);
    // One window and no save in time: every part is one that was asked for, or the last.
    let words = ["predict", "in.fa", "-o", "out", "-v", "--keep-embeddings"];
    let mut child = start(&bench, &words, Stdio::null());
    for times in 1..=2 {
        // Stopped while it is counted.
        wait_for(&bench, " computed ");
        send("-USR1", &child);
        let patience = Instant::now() + Duration::from_secs(60);
        while bench.parts("out", "nucleotide").len() + bench.parts("out", "protein").len() < times {
            assert!(Instant::now() < patience, "{}", messages_of(&bench));
            std::thread::sleep(Duration::from_millis(2));
        }
    }
    assert!(child.wait().unwrap().success(), "{}", messages_of(&bench));
    assert!(messages_of(&bench).contains("asked to save"), "{}", messages_of(&bench));
    assert_eq!(bench.results("out"), bench.results("undisturbed"));
    let parts = |out| {
        ["nucleotide", "protein"].iter().map(|stage| bench.parts(out, stage).len()).sum::<usize>()
    };
    assert!(parts("out") > parts("undisturbed"), "{}", messages_of(&bench));
}

/// A storm of requests does not cut the work into crumbs.
#[test]
fn many_requests_to_save_are_answered_with_few_parts() {
    let bench = Bench::new();
    bench.write("in.fa", Nucleotides::new(21).fasta(250, 1_000));
    let mut child = start(&bench, &["predict", "in.fa", "-o", "out", "-v"], Stdio::null());
    let began = Instant::now();
    // Before its first message it may not yet listen.
    wait_for(&bench, "model mini");
    while child.try_wait().unwrap().is_none() {
        drop(Command::new("kill").arg("-USR1").arg(child.id().to_string()).output());
        std::thread::sleep(Duration::from_millis(1));
    }
    assert!(child.wait().unwrap().success(), "{}", messages_of(&bench));
    let granted = messages_of(&bench).matches("asked to save").count();
    // Ten at once, and then one per minute.
    let most = 10 + usize::try_from(began.elapsed().as_secs() / 60).unwrap() + 1;
    assert!((1..=most).contains(&granted), "{granted} of {most}");
    bench.vnp(&["predict", "in.fa", "-o", "undisturbed"]).expect(0, &[]);
    assert_eq!(bench.results("out"), bench.results("undisturbed"));
}

#[test]
fn sigusr1_and_sigterm_save_embeddings_of_records() {
    let bench = Bench::new();
    bench.write("in.fa", Nucleotides::new(21).fasta(700, 1_000));
    let words = ["embed", "in.fa", "--encoder", "dnabert-s", "--weights", "mini", "-v", "-o"];
    let with = |more: &[&'static str]| [words.as_slice(), more].concat();
    bench.vnp(&with(&["undisturbed.vnp"])).expect(0, &[]);
    let mut child = start(&bench, &with(&["x.vnp"]), Stdio::null());
    wait_for(&bench, "computed rows ");
    send("-USR1", &child);
    wait_for(&bench, "saved rows ");
    wait_for(&bench, "asked to save");
    send("-TERM", &child);
    assert_eq!(ends_soon(&mut child), Some(143), "{}", messages_of(&bench));
    assert!(last_line(&bench).contains("interrupted by SIGTERM; the work so far is saved"));
    let parts = bench.parts("x.vnp.parts", "nucleotide").len();
    assert!(parts >= 1, "{}", messages_of(&bench));
    bench
        .vnp(&with(&["x.vnp", "--resume"]))
        .expect(0, &["of 700 rows are saved from an earlier session, 0 bad checkpoints"]);
    let read = |name: &str| {
        let limits = vnp_ckpt::Limits::default();
        vnp_ckpt::load_with_compatibility(&bench.path(name), &limits).unwrap()
    };
    let (found, expected) = (read("x.vnp"), read("undisturbed.vnp"));
    assert_eq!((found.ids(), found.metadata()), (expected.ids(), expected.metadata()));
    let bytes = |of: &vnp_ckpt::Checkpoint| of.tensor("embedding").unwrap().bytes().to_vec();
    assert_eq!(bytes(&found), bytes(&expected));
}

/// Waits until a process has a handler for a signal.
pub(crate) fn wait_for_handler(child: &Child, signal: u32) {
    let patience = Instant::now() + Duration::from_secs(120);
    let path = format!("/proc/{}/status", child.id());
    let is_caught = |status: &str| {
        let mask = status.lines().find_map(|line| line.strip_prefix("SigCgt:")).unwrap();
        u64::from_str_radix(mask.trim(), 16).unwrap() >> (signal - 1) & 1 == 1
    };
    while let Ok(status) = std::fs::read_to_string(&path)
        && !is_caught(&status)
    {
        assert!(Instant::now() < patience, "no handler for signal {signal}");
        std::thread::sleep(Duration::from_millis(5));
    }
    // Long enough for it to wait for its input, and where there is no /proc.
    std::thread::sleep(Duration::from_millis(300));
}

/// A pipe whose writer sends nothing must not keep a job from ending.
#[test]
fn signals_are_seen_while_an_input_is_waited_for() {
    let bench = Bench::new();
    let out = "x.vnp";
    let embed = ["embed", "-", "--encoder", "esm2", "--weights", "mini", "-o", out];
    let orfs = ["orfs", "-", "--nucleotide", "n.fa", "--protein", "p.faa"];
    for (words, signal, code, cause) in [
        (&["predict", "-", "-o", "out"][..], "-TERM", 143, "interrupted by SIGTERM; the work"),
        (&embed, "-INT", 130, "interrupted by SIGINT; the work"),
        (&orfs, "-HUP", 143, "SIGHUP (the terminal or session was closed): nothing was written"),
    ] {
        if !is_heard(signal) {
            continue;
        }
        let mut child = start(&bench, words, Stdio::piped());
        let mut stdin = child.stdin.take().unwrap();
        stdin.write_all(b">a\nMKV\n").unwrap();
        wait_for_handler(&child, 15);
        // Also one that is to be survived.
        send("-USR1", &child);
        std::thread::sleep(Duration::from_millis(100));
        assert!(child.try_wait().unwrap().is_none(), "{}", messages_of(&bench));
        send(signal, &child);
        assert_eq!(ends_soon(&mut child), Some(code), "{words:?}");
        assert!(last_line(&bench).contains(cause), "{}", messages_of(&bench));
        drop(stdin);
    }
    assert!(!bench.path("n.fa").exists() && !bench.path("p.faa").exists());
}

#[test]
fn a_named_pipe_is_waited_for_and_left() {
    let bench = Bench::new();
    let made = Command::new("mkfifo").arg(bench.path("fifo")).status();
    assert!(made.unwrap().success());
    // Without a writer even its opening waits.
    let mut child = start(&bench, &["predict", "fifo", "-o", "out"], Stdio::null());
    wait_for_handler(&child, 15);
    send("-TERM", &child);
    assert_eq!(ends_soon(&mut child), Some(143), "{}", messages_of(&bench));
}

/// SIGUSR1 kills by default; commands without work to save live through it.
#[test]
fn sigusr1_does_not_kill_a_command_that_has_nothing_to_save() {
    let bench = Bench::new();
    let mut child = start(&bench, &["validate", "-"], Stdio::piped());
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(b">a\nACGT\n").unwrap();
    wait_for_handler(&child, 10);
    send("-USR1", &child);
    std::thread::sleep(Duration::from_millis(100));
    drop(stdin);
    assert_eq!(child.wait().unwrap().code(), Some(0), "{}", messages_of(&bench));
}

#[test]
fn a_second_process_is_told_who_holds_the_directory() {
    let bench = Bench::new();
    let mut child = long_run(&bench);
    // It must not finish while the others are tried.
    send("-STOP", &child);
    let holder = format!("process {} on ", child.id());
    for word in ["--resume", "--force", "--force-resume"] {
        bench.vnp(&["predict", "in.fa", "-o", "out", word]).expect(1, &["is in use by", &holder]);
    }
    bench.vnp(&["predict", "in.fa", "-o", "out"]).expect(1, &["is in use by", &holder]);
    // The lock goes with its process, however that ends.
    child.kill().unwrap();
    child.wait().unwrap();
    bench.vnp(&["predict", "in.fa", "-o", "out", "--resume"]).expect(0, &[]);
}

/// `timeout` signals its child and the group of it in one moment.
#[test]
fn two_signals_in_one_moment_are_one() {
    for both in [["-TERM", "-TERM"], ["-INT", "-TERM"]] {
        let bench = Bench::new();
        let mut child = long_run(&bench);
        both.iter().for_each(|signal| send(signal, &child));
        let code = ends_soon(&mut child);
        assert!(matches!(code, Some(130 | 143)), "{code:?}");
        assert!(last_line(&bench).contains("continue with --resume"), "{}", messages_of(&bench));
        bench.vnp(&["predict", "in.fa", "-o", "out", "--resume"]).expect(0, &[]);
        bench.vnp(&["predict", "in.fa", "-o", "undisturbed"]).expect(0, &[]);
        assert_eq!(bench.results("out"), bench.results("undisturbed"));
    }
}
