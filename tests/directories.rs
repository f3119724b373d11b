//! Output directories as others make them, on file systems that offer less.

use std::path::Path;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant, SystemTime};

use crate::shim::{shim, with_errno};
use crate::support::{Bench, Nucleotides, ended};

const FLOCK: &str = "TEST_FLOCK_ERRNO";
const SYNC: &str = "TEST_DIRECTORY_SYNC_ERRNO";
/// What the warning of a file system without locks begins with.
const NO_LOCKS: &str = "this file system has no locks";

fn bench() -> Bench {
    let bench = Bench::new();
    bench.write("a.fa", Nucleotides::new(41).fasta(3, 1_000));
    bench
}

/// A training so small that it ends in seconds, or fails, as `b.fa` has a record or none.
fn train<'a>(more: &[&'a str]) -> Vec<&'a str> {
    let words = ["train", "--virus", "v.fa", "--others", "o.fa", "-o", "out", "--epochs", "1"];
    let shares = ["--validation-share", "0.3", "--test-share", "0"];
    [&words[..], &shares, more].concat()
}

#[test]
fn an_empty_directory_and_our_own_log_make_a_new_run() {
    for made in [&[][..], &["out"], &["out", "out/lost+found"], &["out", "out/logs"]] {
        for log in ["out/run.log", "out/logs/deep/notes.txt", "out/checkpoints/run.log"] {
            let bench = bench();
            made.iter().for_each(|dir| std::fs::create_dir(bench.path(dir)).unwrap());
            let words = ["predict", "a.fa", "-o", "out", "--log-file", log];
            bench.vnp(&words).expect(0, &[]);
            let text = std::fs::read_to_string(bench.path(log)).unwrap();
            assert!(text.starts_with("vnp-log 1\n") && text.contains("results are in"), "{text}");
            // It is a run now.
            bench.vnp(&words).expect(1, &["--resume", "--force"]);
            bench.vnp(&[&words[..], &["--resume"]].concat()).expect(0, &["nothing was done"]);
            bench.vnp(&[&words[..], &["--force"]].concat()).expect(0, &[]);
            let text = std::fs::read_to_string(bench.path(log)).unwrap();
            assert_eq!(text.matches("results are in out").count(), 3, "{text}");
        }
    }
}

#[test]
fn a_failed_first_try_leaves_a_directory_for_the_next_one() {
    let bench = bench();
    bench.write("bad.fa", ">x\n!!!\n");
    let words = |input: &'static str| ["predict", input, "-o", "out", "--log-file", "out/run.log"];
    bench.vnp(&words("none.fa")).expect(1, &[]);
    bench.vnp(&words("bad.fa")).expect(1, &["is not a nucleotide"]);
    bench.vnp(&[&words("a.fa")[..], &["-m", "none"]].concat()).expect(1, &[]);
    assert_eq!(bench.everything("out").len(), 1);
    // What a process leaves that could not lock or sync the directory.
    std::fs::create_dir_all(bench.path("out/checkpoints/scores")).unwrap();
    bench.write("out/checkpoints/lock", "");
    bench.vnp(&words("a.fa")).expect(0, &[]);
    // A directory is not a part, whatever its name.
    std::fs::create_dir(bench.path("out/checkpoints/scores/rows-000000000000-000000000001.vnp"))
        .unwrap();
    bench.vnp(&[&words("a.fa")[..], &["--force"]].concat()).expect(0, &[]);
    // A process that was killed between two directories.
    for made in ["out2", "out2/checkpoints"] {
        std::fs::create_dir(bench.path(made)).unwrap();
        let found = bench.vnp(&["predict", "bad.fa", "-o", "out2"]);
        found.expect(1, &["is not a nucleotide"]);
        assert!(!bench.path("out2/checkpoints").exists());
    }
    bench.vnp(&["predict", "a.fa", "-o", "out2"]).expect(0, &[]);
    // Other files are not a log, whatever their names.
    std::fs::create_dir(bench.path("out3")).unwrap();
    bench.write("out3/run.log", "notes\n");
    bench.vnp(&["predict", "a.fa", "-o", "out3"]).expect(1, &["--resume", "--force"]);
}

#[test]
fn a_training_takes_the_same_directories() {
    let bench = bench();
    bench.write("v.fa", ">v\nACGT\n");
    bench.write("o.fa", ">o\nACGT\n");
    let words = train(&["--log-file", "out/logs/run.log"]);
    for made in [&[][..], &["out"], &["out", "out/checkpoints"], &["out", "out/lost+found"]] {
        made.iter().for_each(|dir| std::fs::create_dir(bench.path(dir)).unwrap());
        for _ in 0..2 {
            let found = bench.vnp(&words);
            found.expect(1, &[]);
            assert!(!found.stderr.contains("exists") && !found.stderr.contains("holds what"));
            assert!(!bench.path("out/checkpoints").exists(), "{}", found.stderr);
        }
        std::fs::remove_dir_all(bench.path("out")).unwrap();
    }
    std::fs::create_dir_all(bench.path("out/prepared")).unwrap();
    bench.write("out/prepared/virus.fa", "mine");
    bench.write("out/notes.txt", "mine");
    for how in ["--force", "--resume"] {
        bench.vnp(&train(&[how])).expect(1, &["what no vnp train wrote"]);
    }
    // Even where a training was: only what is recognisably its own goes.
    std::fs::create_dir(bench.path("out/checkpoints")).unwrap();
    bench.write("out/checkpoints/lock", "");
    bench.vnp(&train(&["--force"])).expect(1, &["out/prepared was not written by vnp"]);
    std::fs::rename(bench.path("out/prepared"), bench.path("out/bundle")).unwrap();
    bench.vnp(&train(&["--force"])).expect(1, &["out/bundle was not written by vnp"]);
    assert_eq!(std::fs::read(bench.path("out/bundle/virus.fa")).unwrap(), b"mine");
}

#[test]
fn a_record_of_another_tool_is_not_taken_for_ours() {
    let bench = bench();
    std::fs::create_dir(bench.path("out")).unwrap();
    bench.write("out/run.json", "{\"tool\": \"another\"}");
    let before = bench.everything("out");
    for how in [&[][..], &["--force"], &["--resume"]] {
        let words = [&["predict", "a.fa", "-o", "out"], how].concat();
        bench.vnp(&words).expect(1, &["a run.json that no vnp run wrote"]);
    }
    assert_eq!(bench.everything("out"), before);
}

#[test]
fn files_of_others_beside_parts_stop_nothing_and_stay() {
    let bench = bench();
    let words = ["predict", "a.fa", "-o", "out", "--keep-embeddings"];
    bench.vnp(&words).expect(0, &[]);
    let part = bench.parts("out", "protein").remove(0);
    let name = part.file_name().unwrap().to_str().unwrap().to_owned();
    let stem = name.strip_suffix(".vnp").unwrap();
    let theirs = [
        format!("._{name}"),
        format!("{name}.swp"),
        format!("{name}~"),
        format!("{stem}.sync-conflict-20260101-000000-ABCDEFG.vnp"),
        format!("{stem} (conflicted copy).vnp"),
        ".nfs000000000001".to_owned(),
        ".DS_Store".to_owned(),
        "x.tmp".to_owned(),
    ];
    let folder = part.parent().unwrap();
    theirs.iter().for_each(|name| std::fs::write(folder.join(name), "theirs").unwrap());
    std::fs::create_dir_all(folder.join("copies.vnp/deep")).unwrap();
    std::fs::create_dir_all(folder.join(".atomicwriteAAAAAA")).unwrap();
    std::fs::write(folder.join(".atomicwriteAAAAAA/.nfs02"), "theirs").unwrap();
    #[cfg(target_os = "linux")]
    {
        use std::os::unix::ffi::OsStrExt;
        let name = std::ffi::OsStr::from_bytes(b"rows-\xff.vnp");
        std::fs::write(folder.join(name), "theirs").unwrap();
    }
    std::fs::remove_file(bench.path("out/sequences.tsv")).unwrap();
    let stay = || {
        assert!(theirs.iter().all(|name| folder.join(name).exists()));
        assert!(folder.join("copies.vnp/deep").exists());
        assert!(folder.join(".atomicwriteAAAAAA/.nfs02").exists());
    };
    for how in ["--resume", "--force-resume", "--force"] {
        bench.vnp(&[&words[..], &[how]].concat()).expect(0, &[]);
        stay();
    }
}

#[test]
fn a_file_system_without_syncs_of_directories_is_warned_about_once() {
    let bench = bench();
    let Some(shim) = shim(&bench) else { return };
    let run = |words: &[&str], errno: i32| {
        ended(with_errno(&mut bench.command(words), &shim, SYNC, errno))
    };
    bench.vnp(&["predict", "a.fa", "-o", "plain"]).expect(0, &[]);
    for errno in [22, 95] {
        let out = format!("out{errno}");
        let found = run(&["predict", "a.fa", "-o", &out], errno);
        found.expect(0, &[]);
        let warnings = found.stderr.matches("cannot sync directories").count();
        assert_eq!(warnings, 1, "{}", found.stderr);
        assert_eq!(bench.results(&out), bench.results("plain"));
    }
    run(&["predict", "a.fa", "-o", "broken"], 5).expect(1, &["Input/output error"]);
}

/// A run that was stopped, under the shim, when it has computed something.
fn stopped_run(bench: &Bench, shim: &Path) -> Child {
    bench.write("in.fa", Nucleotides::new(21).fasta(250, 1_000));
    let messages = std::fs::File::create(bench.path("messages.txt")).unwrap();
    let words = ["predict", "in.fa", "-o", "out", "--checkpoint-rows", "64", "-v"];
    let mut command = bench.command(&words);
    with_errno(&mut command, shim, FLOCK, 37).stdout(Stdio::null()).stderr(messages);
    let child = command.spawn().unwrap();
    let patience = Instant::now() + Duration::from_secs(120);
    let read = || std::fs::read_to_string(bench.path("messages.txt")).unwrap();
    while !read().contains(" computed ") {
        assert!(Instant::now() < patience, "nothing computed:\n{}", read());
        std::thread::sleep(Duration::from_millis(5));
    }
    signal("-STOP", &child);
    child
}

fn signal(signal: &str, child: &Child) {
    let mut kill = std::process::Command::new("kill");
    assert!(kill.arg(signal).arg(child.id().to_string()).status().unwrap().success());
}

#[test]
fn without_locks_a_run_works_with_one_warning_and_leaves_nothing() {
    let bench = bench();
    let Some(shim) = shim(&bench) else { return };
    bench.vnp(&["predict", "a.fa", "-o", "plain"]).expect(0, &[]);
    for errno in [37, 38, 95, 524] {
        let out = format!("out{errno}");
        let mut command = bench.command(&["predict", "a.fa", "-o", &out]);
        let found = ended(with_errno(&mut command, &shim, FLOCK, errno));
        found.expect(0, &[NO_LOCKS, "It is weaker"]);
        assert_eq!(found.stderr.matches(NO_LOCKS).count(), 1, "{}", found.stderr);
        assert_eq!(bench.results(&out), bench.results("plain"));
        let names = |out: &str| -> Vec<_> {
            let files = bench.everything(out).into_keys();
            files.map(|path| path.strip_prefix(bench.path(out)).unwrap().to_owned()).collect()
        };
        assert_eq!(names(&out), names("plain"));
    }
    // The failure log does without its lock too.
    bench.write("plain/checkpoints/scores/bad.vnp", "x");
    let words = ["validate-checkpoints", "plain", "--log-failures"];
    let found = ended(with_errno(&mut bench.command(&words), &shim, FLOCK, 37));
    assert_eq!(found.code, Some(3));
    let log = std::fs::read_to_string(bench.path("plain/failed_checkpoints.txt")).unwrap();
    assert_eq!(log.lines().count(), 1);
}

#[test]
fn without_locks_a_second_process_is_refused_and_a_killed_one_replaced_at_once() {
    let bench = bench();
    let Some(shim) = shim(&bench) else { return };
    let mut child = stopped_run(&bench, &shim);
    let holder = format!("process {} on ", child.id());
    let run = |how: &[&str], has_locks: bool| {
        let mut command = bench.command(&[&["predict", "in.fa", "-o", "out"], how].concat());
        let command = match has_locks {
            true => &mut command,
            false => with_errno(&mut command, &shim, FLOCK, 524),
        };
        ended(command)
    };
    for how in [&["--resume"][..], &["--force"], &["--force-resume"], &[]] {
        for has_locks in [false, true] {
            run(how, has_locks).expect(1, &["is in use by", &holder]);
        }
    }
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(bench.path("out/checkpoints/lock.claim").exists());
    run(&["--resume"], false).expect(0, &["is taken over"]);
    let left = std::fs::read_dir(bench.path("out/checkpoints")).unwrap();
    let left: Vec<_> = left.map(|entry| entry.unwrap().file_name()).collect();
    assert!(!left.iter().any(|name| name.to_string_lossy().contains("claim")), "{left:?}");
    bench.vnp(&["predict", "in.fa", "-o", "undisturbed"]).expect(0, &[]);
    assert_eq!(bench.results("out"), bench.results("undisturbed"));
}

/// The claim of a process on another machine counts until it is ten minutes old.
#[test]
fn a_claim_of_another_machine_has_its_time_and_one_that_is_lost_ends_the_run() {
    let bench = bench();
    let Some(shim) = shim(&bench) else { return };
    let mut child = stopped_run(&bench, &shim);
    let claim = bench.path("out/checkpoints/lock.claim");
    let elsewhere = "process 1 on elsewhere since then\n\
        {\"nonce\":\"x\",\"host\":\"elsewhere\",\"process\":1,\"since\":\"then\"}\n";
    std::fs::write(&claim, elsewhere).unwrap();
    // The process that was stopped for so long finds that it has lost its place, and saves nothing.
    let parts = |bench: &Bench| {
        ["nucleotide", "protein", "scores"].map(|stage| bench.parts("out", stage)).concat()
    };
    let before = parts(&bench);
    signal("-CONT", &child);
    assert_eq!(child.wait().unwrap().code(), Some(1));
    let said = std::fs::read_to_string(bench.path("messages.txt")).unwrap();
    assert!(said.contains("is no longer ours: process 1 on elsewhere"), "{said}");
    assert!(parts(&bench).iter().all(|part| before.contains(part)));
    assert_eq!(std::fs::read_to_string(&claim).unwrap(), elsewhere);
    let age = |seconds: u64| {
        let file = std::fs::File::options().write(true).open(&claim).unwrap();
        file.set_modified(SystemTime::now() - Duration::from_secs(seconds)).unwrap();
    };
    let words = ["predict", "in.fa", "-o", "out", "--resume"];
    let without = || ended(with_errno(&mut bench.command(&words), &shim, FLOCK, 38));
    age(300);
    without().expect(1, &["is in use by process 1 on elsewhere"]);
    bench.vnp(&words).expect(1, &["is in use by process 1 on elsewhere"]);
    age(700);
    without().expect(0, &["is taken over"]);
    assert!(!claim.exists());
}

#[cfg(unix)]
#[test]
fn a_lock_that_is_a_link_is_refused_and_its_target_kept() {
    let bench = bench();
    std::fs::create_dir_all(bench.path("out/checkpoints")).unwrap();
    bench.write("mine.txt", "mine");
    std::os::unix::fs::symlink("../../mine.txt", bench.path("out/checkpoints/lock")).unwrap();
    for how in ["--resume", "--force"] {
        let found = bench.vnp(&["predict", "a.fa", "-o", "out", how]);
        found.expect(1, &["checkpoints/lock is a symbolic link"]);
    }
    assert_eq!(std::fs::read(bench.path("mine.txt")).unwrap(), b"mine");
}
