//! Interrupted commands: those with nothing to save end at once, none leaves a temporary, and what a kill
//! leaves is swept.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use vnp_infer::{BundleWriter, DnabertConfig, Esm2Config, TensorSpec, Tensors};

use crate::heard::is_heard;
use crate::signals::{ends_soon, last_line, messages_of, send, start, wait_for_handler};
use crate::support::{Bench, Nucleotides, root};

const NONE: [PathBuf; 0] = [];
/// A table of calls of contigs, without rows.
const CALLS: &str = "ID\tcall\ttier\tweighted_delta\tn_chunks\tn_confident_viral\tn_confident_nonviral\tn_ambiguous\tviral_proportion\tnonviral_proportion\n";

/// The temporaries below a directory.
fn temporaries(dir: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(dir).into_iter().flatten().filter_map(Result::ok) {
        let name = entry.file_name().to_string_lossy().into_owned();
        if [".vnp-", ".atomicwrite", "standard-input-"].iter().any(|start| name.starts_with(start))
        {
            found.push(entry.path());
        } else if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            found.extend(temporaries(&entry.path()));
        }
    }
    found
}

fn wait_until(what: &str, mut is_so: impl FnMut() -> bool) {
    let patience = Instant::now() + Duration::from_secs(120);
    while !is_so() {
        assert!(Instant::now() < patience, "{what}");
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// A command that waits for a pipe that is full, with a reader that does not read it.
fn blocked_orfs(bench: &Bench) -> (Child, Child) {
    let letters = "GCC".repeat(100);
    let record = |number| format!(">r{number}\n{letters}\n");
    bench.write("in.fa", (0..2_000).map(record).collect::<String>());
    let fifo = bench.path("full.fa");
    assert!(Command::new("mkfifo").arg(&fifo).status().unwrap().success());
    // It opens the pipe and reads nothing.
    let line = format!("exec sleep 60 < {}", fifo.display());
    let reader = Command::new("sh").args(["-c", &line]).spawn().unwrap();
    let words = ["orfs", "in.fa", "--nucleotide", "full.fa", "--protein", "p.faa"];
    let child = start(bench, &words, Stdio::null());
    std::thread::sleep(Duration::from_secs(2));
    (child, reader)
}

#[test]
fn a_command_without_work_to_save_ends_at_once_and_leaves_nothing() {
    let bench = Bench::new();
    let (mut child, mut reader) = blocked_orfs(&bench);
    assert_eq!(temporaries(&bench.path(".")).len(), 1, "{}", messages_of(&bench));
    send("-TERM", &child);
    let asked = Instant::now();
    assert_eq!(ends_soon(&mut child), Some(143), "{}", messages_of(&bench));
    assert!(asked.elapsed() < Duration::from_secs(3), "{:?}", asked.elapsed());
    let last = last_line(&bench);
    assert!(last.ends_with("interrupted by SIGTERM: nothing was written"), "{last}");
    assert!(!bench.path("p.faa").exists());
    assert_eq!(temporaries(&bench.path(".")), NONE);
    reader.kill().unwrap();
    reader.wait().unwrap();
}

#[test]
fn commands_that_wait_for_standard_input_end_with_the_code_of_the_signal() {
    let orfs = ["orfs", "-", "--nucleotide", "n.fa", "--protein", "p.faa"];
    let reads = ["reads", "calls.tsv", "--paf", "-", "-o", "r.tsv", "--keep-ids", "k.txt"];
    for (words, signal, code) in [
        (&["validate", "-"][..], "-TERM", 143),
        (&["validate", "-"], "-INT", 130),
        (&["validate", "-"], "-XCPU", 143),
        (&orfs, "-TERM", 143),
        (&reads, "-TERM", 143),
        (&reads, "-INT", 130),
    ] {
        let bench = Bench::new();
        bench.write("calls.tsv", CALLS);
        let mut child = start(&bench, words, Stdio::piped());
        let mut stdin = child.stdin.take().unwrap();
        stdin.write_all(b">a\nACGT\n").unwrap();
        wait_for_handler(&child, 15);
        send(signal, &child);
        assert_eq!(ends_soon(&mut child), Some(code), "{words:?}");
        assert!(last_line(&bench).contains("interrupted by SIG"), "{}", messages_of(&bench));
        assert_eq!(temporaries(&bench.path(".")), NONE, "{words:?}");
        drop(stdin);
    }
}

/// What a killed process left goes with the next command that writes there, and only that.
#[test]
fn what_a_killed_command_left_is_swept_and_what_a_live_one_writes_is_not() {
    let bench = Bench::new();
    let words = ["orfs", "-", "--nucleotide", "n.fa", "--protein", "p.faa"];
    let spooling = || {
        let mut child = start(&bench, &words, Stdio::piped());
        let mut stdin = child.stdin.take().unwrap();
        stdin.write_all(b">a\nACGT\n").unwrap();
        wait_for_handler(&child, 15);
        (child, stdin)
    };
    let (mut dead, stdin) = spooling();
    dead.kill().unwrap();
    dead.wait().unwrap();
    drop(stdin);
    let left = temporaries(&bench.path("."));
    assert_eq!(left.len(), 3, "{left:?}");
    let (mut live, stdin) = spooling();
    let of_live = temporaries(&bench.path("."));
    assert_eq!(of_live.len(), 3, "{of_live:?}");
    assert!(left.iter().all(|path| !of_live.contains(path)));
    bench.write("in.fa", ">a\nGCCGCC\n");
    let other = ["orfs", "in.fa", "--nucleotide", "n2.fa", "--protein", "p2.faa"];
    bench.vnp(&other).expect(0, &[]);
    assert_eq!(temporaries(&bench.path(".")), of_live);
    drop(stdin);
    assert!(live.wait().unwrap().success(), "{}", messages_of(&bench));
    assert_eq!(temporaries(&bench.path(".")), NONE);
}

/// Random weights, of 100 MB so that an import takes long enough to be interrupted.
fn large_model(bench: &Bench) {
    let config = |layers, hidden, vocabulary| {
        serde_json::json!({
            "vocab_size": vocabulary, "hidden_size": hidden, "num_hidden_layers": layers,
            "num_attention_heads": 4, "intermediate_size": 4 * hidden,
        })
    };
    let esm2: Esm2Config = serde_json::from_value(config(10, 640, 33)).unwrap();
    let dnabert: DnabertConfig = serde_json::from_value(config(1, 64, 4096)).unwrap();
    let tokenizer = std::fs::read(root().join("tests/fixtures/tokenizer/tokenizer.json")).unwrap();
    let writer = BundleWriter::new(
        (esm2.clone(), random(esm2.tensors())),
        (dnabert.clone(), random(dnabert.tensors())),
        tokenizer,
        head(704),
    );
    let mut writer = writer.unwrap();
    (writer.name, writer.expected_length) = ("large".to_owned(), 500);
    writer.write(&bench.path("large")).unwrap();
}

fn random(specs: impl Iterator<Item = TensorSpec>) -> Tensors {
    let mut tensors = Tensors::default();
    for TensorSpec { name, shape } in specs {
        let count = shape.iter().product();
        let values: Vec<f32> =
            (0..count).map(|at: usize| (at % 97) as f32 / 970.0 - 0.05).collect();
        tensors.insert_f16(name, &shape, &values);
    }
    tensors
}

fn head(features: usize) -> Tensors {
    let specs = [
        ("hidden_layer.weight", vec![4, features]),
        ("hidden_layer.bias", vec![4]),
        ("bn1.weight", vec![4]),
        ("bn1.bias", vec![4]),
        ("bn1.running_mean", vec![4]),
        ("bn1.running_var", vec![4]),
        ("output_layer.weight", vec![2, 4]),
        ("output_layer.bias", vec![2]),
    ];
    let mut tensors = Tensors::default();
    for (name, shape) in specs {
        tensors.insert_f32(name, &shape, &vec![0.5; shape.iter().product()]);
    }
    tensors
}

/// An import that is writing its bundle.
fn importing(bench: &Bench, out: &str) -> Child {
    let before = temporaries(&bench.path("models"));
    let words = [
        "models",
        "import",
        "--esm2",
        "large/esm2",
        "--dnabert",
        "large/dnabert",
        "--head",
        "large/head.safetensors",
        "--expected-length",
        "500",
        "-o",
        out,
    ];
    let mut child = start(bench, &words, Stdio::null());
    wait_until("it writes a bundle", || {
        assert_eq!(child.try_wait().unwrap(), None, "{}", messages_of(bench));
        temporaries(&bench.path("models")).iter().any(|path| !before.contains(path))
    });
    child
}

#[test]
fn an_interrupted_import_leaves_nothing_and_a_killed_one_is_swept() {
    let bench = Bench::new();
    large_model(&bench);
    std::fs::create_dir(bench.path("models")).unwrap();
    let models = || temporaries(&bench.path("models"));
    for (signal, code) in [("-TERM", 143), ("-INT", 130), ("-HUP", 143)] {
        if !is_heard(signal) {
            continue;
        }
        let mut child = importing(&bench, "models/a");
        send(signal, &child);
        assert_eq!(ends_soon(&mut child), Some(code), "{}", messages_of(&bench));
        assert!(last_line(&bench).ends_with(": no unfinished model is left"), "{signal}");
        assert_eq!(std::fs::read_dir(bench.path("models")).unwrap().count(), 0, "{signal}");
    }
    let mut dead = importing(&bench, "models/a");
    dead.kill().unwrap();
    dead.wait().unwrap();
    let left = models();
    assert_eq!(left.len(), 1);
    // Neither a model nor a suggestion.
    let listed =
        bench.command(&["models", "list"]).env("VNP_MODELS", bench.path("models")).output();
    assert!(!String::from_utf8(listed.unwrap().stdout).unwrap().contains(".vnp-bundle-"));
    bench.vnp(&["predict", "in.fa", "-m", "models"]).expect(1, &["bundle.json"]);
    let mut live = importing(&bench, "models/a");
    send("-STOP", &live);
    let of_live = models();
    assert_eq!(of_live.len(), 1);
    assert_ne!(of_live, left, "the dead one was not swept");
    let mut other = importing(&bench, "models/b");
    assert!(other.wait().unwrap().success(), "{}", messages_of(&bench));
    assert_eq!(models(), of_live, "the live one was swept");
    send("-CONT", &live);
    assert!(live.wait().unwrap().success());
    assert_eq!(models(), NONE);
    bench.vnp(&["models", "verify", "models/a"]).expect(0, &[]);
}

/// A run with computed rows that it cannot save, because its messages wait for a pipe that is full.
fn blocked_run(bench: &Bench) -> Child {
    bench.write("in.fa", Nucleotides::new(21).fasta(1_500, 1_000));
    let words = ["predict", "in.fa", "-o", "out", "--checkpoint-rows", "16", "-vv"];
    let mut command = bench.command(&words);
    let child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    // It waits when it computes no more.
    let used = || {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", child.id())).unwrap();
        let fields: Vec<&str> = stat.rsplit_once(") ").unwrap().1.split(' ').collect();
        (fields[11].to_owned(), fields[12].to_owned())
    };
    let mut last = used();
    wait_until("it does not wait", || {
        std::thread::sleep(Duration::from_secs(1));
        let now = used();
        let waits = now == last && now.0 != "0" && !bench.parts("out", "nucleotide").is_empty();
        last = now;
        waits
    });
    child
}

#[test]
fn a_job_that_cannot_save_ends_in_time() {
    let bench = Bench::new();
    let mut child = blocked_run(&bench);
    send("-TERM", &child);
    let asked = Instant::now();
    assert_eq!(ends_soon(&mut child), Some(143));
    let waited = asked.elapsed();
    assert!((Duration::from_secs(5)..Duration::from_secs(10)).contains(&waited), "{waited:?}");
    assert_eq!(temporaries(&bench.path("out")), NONE);
    bench.vnp(&["predict", "in.fa", "-o", "out", "--resume"]).expect(0, &[]);
}

#[test]
fn a_second_signal_ends_at_once() {
    for (again, expected) in [("-TERM", 143), ("-INT", 130)] {
        let bench = Bench::new();
        let mut child = blocked_run(&bench);
        send("-TERM", &child);
        std::thread::sleep(Duration::from_millis(1_500));
        assert_eq!(child.try_wait().unwrap(), None, "it did not wait");
        send(again, &child);
        let asked = Instant::now();
        assert_eq!(ends_soon(&mut child), Some(expected));
        assert!(asked.elapsed() < Duration::from_secs(5));
    }
}

#[test]
fn a_conversion_sweeps_what_killed_ones_left() {
    let bench = Bench::new();
    let fixtures = root().join("tests/fixtures/v1.0");
    let files = std::fs::read_dir(fixtures).unwrap().map(|entry| entry.unwrap().path());
    let file = files.filter(|path| path.extension().is_some_and(|end| end == "vnp")).min().unwrap();
    let left = bench.path("to/.atomicwriteAb09zZ");
    std::fs::create_dir_all(&left).unwrap();
    std::fs::write(left.join("tmpfile.tmp"), "half").unwrap();
    let words = ["checkpoint", "convert", file.to_str().unwrap(), "to/x.vnp"];
    bench.vnp(&words).expect(0, &[]);
    assert!(bench.path("to/x.vnp").exists() && !left.exists());
}
