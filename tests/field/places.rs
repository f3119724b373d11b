//! Situations of outputs: where they lie, what they would replace, and file systems without locks.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use super::case::Case;
use crate::support::Bench;

pub(super) const CASES: &[Case] = &[
    Case {
        input: "base.fa",
        command: "predict -o an existing empty directory",
        expected: "a new run",
        check: |bench| {
            std::fs::create_dir(bench.path("n")).unwrap();
            bench.vnp(&["predict", "field/base.fa", "-o", "n"]).expect(0, &["records are viral"]);
        },
    },
    Case {
        input: "base.fa",
        command: "predict -o n --log-file n/run.log (n missing; n empty)",
        expected: "a new run",
        check: |bench| {
            std::fs::create_dir(bench.path("empty")).unwrap();
            for dir in ["missing", "empty"] {
                let log = format!("{dir}/run.log");
                let words = ["predict", "field/base.fa", "-o", dir, "--log-file", &log];
                bench.vnp(&words).expect(0, &["records are viral"]);
                let text = std::fs::read_to_string(bench.path(&log)).unwrap();
                assert!(text.starts_with("vnp-log 1\n") && text.contains("are viral"), "{text}");
            }
        },
    },
    Case {
        input: "base.fa",
        command: "orfs i.fa --nucleotide i.fa; embed j.fa -o j.fa; the same through a symbolic and a \
                  hard link; --log-file base.fa",
        expected: "refused before anything is read, the file untouched",
        check: outputs_that_are_inputs,
    },
    Case {
        input: "base.fa",
        command: "predict under LD_PRELOAD of noflock.c with errno 37, 38, 95, 524",
        expected: "runs, one warning; a second process on the directory is still refused",
        check: without_locks,
    },
];

fn outputs_that_are_inputs(bench: &Bench) {
    let base = std::fs::read(bench.path("field/base.fa")).unwrap();
    bench.write("i.fa", &base);
    std::fs::hard_link(bench.path("i.fa"), bench.path("hard.vnp")).unwrap();
    #[cfg(unix)]
    std::os::unix::fs::symlink("i.fa", bench.path("symbolic.vnp")).unwrap();
    let embed = ["embed", "i.fa", "--encoder", "dnabert-s", "--weights", "mini", "-o"];
    for output in ["i.fa", "./i.fa", "hard.vnp", "symbolic.vnp"] {
        bench
            .vnp(&["orfs", "i.fa", "--nucleotide", output, "--protein", "p.fa"])
            .expect(1, &[output]);
        bench
            .vnp(&["orfs", "i.fa", "--nucleotide", "n.fa", "--protein", output])
            .expect(1, &[output]);
        bench.vnp(&[&embed[..], &[output]].concat()).expect(1, &[output]);
        for words in [["predict", "i.fa"], ["validate", "i.fa"]] {
            bench.vnp(&[&words[..], &["--log-file", output]].concat()).expect(1, &[output]);
        }
    }
    assert_eq!(std::fs::read(bench.path("i.fa")).unwrap(), base);
    for name in ["p.fa", "n.fa", "i_predictions"] {
        assert!(!bench.path(name).exists(), "{name}");
    }
}

/// `flock` fails with the errno of the environment.
const SHIM: &str = "#include <errno.h>\n#include <stdlib.h>\n\
                    int flock(int f,int o){errno=atoi(getenv(\"FLOCK_ERRNO\"));return -1;}\n";

fn without_locks(bench: &Bench) {
    bench.write("noflock.c", SHIM);
    let shim = bench.path("noflock.so");
    let mut compiler = Command::new("cc");
    compiler.args(["-shared", "-fPIC", "-o"]).arg(&shim).arg(bench.path("noflock.c"));
    if !cfg!(target_os = "linux") || !compiler.output().is_ok_and(|built| built.status.success()) {
        return;
    }
    for errno in ["37", "38", "95", "524"] {
        let command = |words: &[&str]| {
            let mut command = bench.command(words);
            command.env("LD_PRELOAD", &shim).env("FLOCK_ERRNO", errno);
            command
        };
        let out = format!("out{errno}");
        let messages = bench.path("messages.txt");
        // It holds the directory while it waits for its input.
        let mut first = command(&["predict", "-", "-o", &out])
            .stdin(Stdio::piped())
            .stderr(std::fs::File::create(&messages).unwrap())
            .spawn()
            .unwrap();
        let patience = Instant::now() + Duration::from_secs(20);
        while !std::fs::read_to_string(&messages).unwrap().contains("WARN") {
            assert!(Instant::now() < patience, "no warning");
            std::thread::sleep(Duration::from_millis(5));
        }
        let second = crate::support::ended(&mut command(&[
            "predict",
            "field/base.fa",
            "-o",
            &out,
            "--resume",
        ]));
        second.expect(1, &["is in use by"]);
        let mut base = std::fs::File::open(bench.path("field/base.fa")).unwrap();
        std::io::copy(&mut base, &mut first.stdin.take().unwrap()).unwrap();
        assert!(first.wait().unwrap().success());
        let messages = std::fs::read_to_string(messages).unwrap();
        assert_eq!(messages.matches("WARN").count(), 1, "{messages}");
        assert!(bench.path(&out).join("sequences.tsv").exists());
    }
}
