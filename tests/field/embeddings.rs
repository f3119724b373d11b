//! Situations of `vnp embed`, and of signals.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use vnp_ckpt::{Checkpoint, Limits};

use super::case::Case;
use crate::heard::is_heard;
use crate::support::{Bench, Ended, Nucleotides, root};

pub(super) const CASES: &[Case] = &[
    Case {
        input: "base.fa",
        command: "embed -o x.pt, x.safetensors",
        expected: "that format (torch.load, safetensors read it)",
        check: |bench| {
            let embed =
                ["embed", "field/base.fa", "--encoder", "dnabert-s", "--weights", "mini", "-o"];
            for (output, magic) in [("x.pt", b"PK\x03\x04".as_slice()), ("x.safetensors", b"")] {
                bench.vnp(&[&embed[..], &[output]].concat()).expect(0, &[]);
                let bytes = std::fs::read(bench.path(output)).unwrap();
                assert!(bytes.starts_with(magic), "{output}");
            }
            let bytes = std::fs::read(bench.path("x.safetensors")).unwrap();
            let length =
                usize::try_from(u64::from_le_bytes(bytes[..8].try_into().unwrap())).unwrap();
            let header: serde_json::Value = serde_json::from_slice(&bytes[8..8 + length]).unwrap();
            assert_eq!(header["embedding"]["shape"][0], 3, "{header}");
            bench.vnp(&[&embed[..], &["x.txt"]].concat()).expect(1, &[".safetensors"]);
        },
    },
    Case {
        input: "base.fa (larger)",
        command: "kill -HUP, -XCPU; kill -USR1",
        expected: "saved, leaves; saved, goes on",
        check: |bench| {
            for (signal, cause, code) in
                [("-HUP", "SIGHUP", 143), ("-XCPU", "SIGXCPU", 143), ("-USR1", "save", 0)]
            {
                if is_heard(signal) {
                    signalled(bench, signal, cause, code);
                }
            }
        },
    },
    Case {
        input: "protein_star.faa",
        command: "embed --encoder esm2",
        expected: "the vector of protein.faa",
        check: |bench| {
            embed(bench, "protein_star.faa", "star.vnp", &[]).expect(0, &[]);
            embed(bench, "protein.faa", "plain.vnp", &[]).expect(0, &[]);
            assert_eq!(vectors(bench, "star.vnp"), vectors(bench, "plain.vnp"));
        },
    },
    Case {
        input: "protein_digit.faa",
        command: "embed --encoder esm2",
        expected: "refused by name; --unknown-residues mask takes it",
        check: |bench| {
            embed(bench, "protein_digit.faa", "x.vnp", &[]).expect(1, &["\"p\"", "'1'", "23"]);
            assert!(!bench.path("x.vnp").exists());
            let mask = ["--unknown-residues", "mask"];
            embed(bench, "protein_digit.faa", "x.vnp", &mask).expect(0, &[]);
            embed(bench, "protein.faa", "plain.vnp", &[]).expect(0, &[]);
            assert_ne!(vectors(bench, "x.vnp"), vectors(bench, "plain.vnp"));
        },
    },
    Case {
        input: "empty_last.faa",
        command: "embed --encoder esm2",
        expected: "200 rows and one marked failed, exit 2",
        check: |bench| {
            embed(bench, "empty_last.faa", "x.vnp", &[]).expect(2, &["\"last\""]);
            let mut file = Checkpoint::open(&bench.path("x.vnp"), &Limits::default()).unwrap();
            let ids = file.ids().unwrap();
            assert_eq!((ids.len(), ids.last().map(String::as_str)), (201, Some("last")));
            let status = file.tensor("status").unwrap().unwrap().as_u8().unwrap().to_vec();
            assert_eq!(status.iter().filter(|failed| **failed != 0).count(), 1);
            assert_eq!(status[200], 1);
        },
    },
];

/// Embeds proteins with a small ESM-2.
fn embed(bench: &Bench, input: &str, output: &str, words: &[&str]) -> Ended {
    let weights = root().join("tests/fixtures/parity/esm2");
    let input = format!("field/{input}");
    let all = [
        "embed",
        &input,
        "--encoder",
        "esm2",
        "--weights",
        weights.to_str().unwrap(),
        "-o",
        output,
    ];
    bench.vnp(&[&all[..], words].concat())
}

fn vectors(bench: &Bench, name: &str) -> Vec<f32> {
    let mut file = Checkpoint::open(&bench.path(name), &Limits::default()).unwrap();
    file.tensor("embedding").unwrap().unwrap().to_f32_vec().unwrap()
}

/// A run that gets a signal while it computes: how it ends, and that it ends as an undisturbed one.
fn signalled(bench: &Bench, signal: &str, cause: &str, code: i32) {
    bench.write("larger.fa", Nucleotides::new(21).fasta(250, 1_000));
    let out = format!("out{signal}");
    let words = ["predict", "larger.fa", "-o", &out, "--checkpoint-rows", "64", "-v"];
    let path = bench.path("messages.txt");
    let messages = || std::fs::read_to_string(&path).unwrap();
    let mut command = bench.command(&words);
    command.stdout(Stdio::null()).stderr(std::fs::File::create(&path).unwrap());
    let mut child = command.spawn().unwrap();
    let patience = Instant::now() + Duration::from_secs(60);
    while !messages().contains(" computed ") {
        assert!(Instant::now() < patience, "{}", messages());
        std::thread::sleep(Duration::from_millis(5));
    }
    let mut kill = Command::new("kill");
    assert!(kill.arg(signal).arg(child.id().to_string()).status().unwrap().success());
    assert_eq!(child.wait().unwrap().code(), Some(code), "{}", messages());
    assert!(messages().contains(cause), "{}", messages());
    bench.vnp(&["predict", "larger.fa", "-o", &out, "--resume"]).expect(0, &[]);
    bench.vnp(&["predict", "larger.fa", "-o", "plain", "--force"]).expect(0, &[]);
    assert_eq!(bench.results(&out), bench.results("plain"));
}
