//! `vnp embed` as a user sees it: formats, refusals, kills and resumes.

use std::collections::BTreeMap;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use vnp_ckpt::{Checkpoint, Limits, load_with_compatibility};

use crate::support::{Bench, Ended, Nucleotides, root};

fn words<'a>(input: &'a str, encoder: &'a str, out: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    let words = ["embed", input, "--encoder", encoder, "--weights", "mini", "-o", out, "-d", "cpu"];
    words.iter().chain(more).copied().collect()
}

fn embed(bench: &Bench, input: &str, out: &str, more: &[&str]) -> Ended {
    bench.vnp(&words(input, "esm2", out, more))
}

fn read(bench: &Bench, name: &str) -> Checkpoint {
    load_with_compatibility(&bench.path(name), &Limits::default()).unwrap()
}

fn vectors(bench: &Bench, name: &str) -> Vec<Vec<f32>> {
    let checkpoint = read(bench, name);
    let tensor = checkpoint.tensor("embedding").unwrap();
    let width = tensor.shape()[1];
    tensor.as_f32().unwrap().chunks(width).map(<[f32]>::to_vec).collect()
}

/// Everything of an output but the time at which it was written.
fn contents(bench: &Bench, name: &str) -> String {
    let checkpoint = read(bench, name);
    let tensors: Vec<_> =
        checkpoint.tensors().map(|(name, tensor)| (name, tensor.bytes().to_vec())).collect();
    format!("{:?} {:?} {tensors:?}", checkpoint.ids(), checkpoint.metadata())
}

/// Proteins that take an encoder some seconds.
fn proteins(records: usize, length: usize) -> String {
    let letters = b"LAGVSERTIDPKQNFYMHWC";
    let mut nucleotides = Nucleotides::new(7);
    let mut protein = || {
        let bases = nucleotides.sequence(length * 3);
        let pick = |codon: &[u8]| {
            let number = codon.iter().fold(0, |sum, base| sum * 5 + usize::from(base % 23));
            char::from(letters[number % letters.len()])
        };
        bases.as_bytes().chunks(3).map(pick).collect::<String>()
    };
    (0..records).map(|i| format!(">p{i}\n{}\n", protein())).collect()
}

#[test]
fn a_final_stop_is_dropped_and_other_letters_are_named() {
    let bench = Bench::new();
    for (name, letters) in [("plain", "MKVLAET"), ("star", "MKVLAET*"), ("stars", "mkvlaet**")] {
        bench.write(name, format!(">p\n{letters}\n"));
        embed(&bench, name, &format!("{name}.vnp"), &[]).expect(0, &[]);
    }
    assert_eq!(vectors(&bench, "plain.vnp"), vectors(&bench, "star.vnp"));
    assert_eq!(vectors(&bench, "plain.vnp"), vectors(&bench, "stars.vnp"));

    bench.write("bad", ">p\nMKVLAET\n>q\nMK*L1\n");
    let refused = embed(&bench, "bad", "bad.vnp", &[]);
    refused
        .expect(1, &["record \"q\": '*' (a stop codon) at position 3", "--unknown-residues mask"]);
    assert!(!refused.stderr.contains("loading the encoder"), "{}", refused.stderr);
    assert!(!bench.path("bad.vnp").exists() && !bench.path("bad.vnp.parts").exists());
    embed(&bench, "bad", "bad.vnp", &["--unknown-residues", "mask"]).expect(0, &[]);
    let masked = vectors(&bench, "bad.vnp");
    assert_eq!(masked[0], vectors(&bench, "plain.vnp")[0]);
    assert!(masked[1].iter().any(|value| *value != 0.0));
    let dna = words("bad", "dnabert-s", "dna.vnp", &["--unknown-residues", "mask"]);
    bench.vnp(&dna).expect(1, &["--unknown-residues is for proteins"]);
}

#[test]
fn a_record_that_cannot_be_embedded_is_a_failed_row() {
    let bench = Bench::new();
    bench.write("whole", ">a\nMKV\n>b\nWWW\n");
    embed(&bench, "whole", "whole.vnp", &[]).expect(0, &[]);
    let whole = vectors(&bench, "whole.vnp");
    let zeros = vec![0.0; whole[0].len()];
    for place in 0..3 {
        let mut records = vec![">a\nMKV\n", ">b\nWWW\n"];
        records.insert(place, ">empty\n\n");
        bench.write("in", records.concat());
        let out = format!("{place}.vnp");
        embed(&bench, "in", &out, &[])
            .expect(2, &["record \"empty\" was not embedded: it has no sequence"]);
        let mut expected = whole.clone();
        expected.insert(place, zeros.clone());
        assert_eq!(vectors(&bench, &out), expected);
        let status: Vec<u8> = (0..3).map(|row| u8::from(row == place)).collect();
        assert_eq!(read(&bench, &out).tensor("status").unwrap().as_u8().unwrap(), status);
        embed(&bench, "in", &out, &["--resume"]).expect(2, &["nothing was done", "\"empty\""]);
    }
    bench.write("dna", ">a\nACGT\n>b\nACLT\n");
    bench
        .vnp(&words("dna", "dnabert-s", "dna.vnp", &[]))
        .expect(2, &["record \"b\" was not embedded: letter 'L' at position 3"]);
    bench.write("many", ">a\nMK\n".to_owned() + &">e\n".repeat(30));
    embed(&bench, "many", "many.vnp", &[]).expect(2, &["22 more records were not embedded"]);
    // Proteins for the encoder of nucleotides.
    bench.vnp(&words("whole", "dnabert-s", "no.vnp", &[])).expect(0, &[]);
    bench.write("proteins", ">a\nMKLE\n>b\nFLIP\n");
    bench
        .vnp(&words("proteins", "dnabert-s", "no.vnp", &["--force"]))
        .expect(1, &["none of the 2 records is a nucleotide sequence"]);
}

#[test]
fn the_format_is_what_the_name_says() {
    let bench = Bench::new();
    bench.write("in", ">a\nMKV\n>b\n\n>c\nWWW\n");
    for out in ["x.vnp", "x.pt", "x.safetensors", "x.PT"] {
        embed(&bench, "in", out, &[]).expect(2, &[]);
        assert_eq!(contents(&bench, out), contents(&bench, "x.vnp"));
        assert!(!bench.path(&format!("{out}.parts")).exists());
        embed(&bench, "in", out, &["--resume"]).expect(2, &["nothing was done"]);
    }
    let starts =
        |name: &str, magic: &[u8]| std::fs::read(bench.path(name)).unwrap().starts_with(magic);
    assert!(starts("x.pt", b"PK\x03\x04") && starts("x.PT", b"PK\x03\x04"));
    let safetensors = std::fs::read(bench.path("x.safetensors")).unwrap();
    let header = u64::from_le_bytes(safetensors[..8].try_into().unwrap()) as usize;
    let header: serde_json::Value = serde_json::from_slice(&safetensors[8..8 + header]).unwrap();
    assert_eq!(header["embedding"]["shape"][0], 3);
    assert_eq!(header["status"]["dtype"], "U8");
    // As converted by hand.
    bench.vnp(&["checkpoint", "convert", "x.vnp", "y.safetensors"]).expect(0, &[]);
    assert_eq!(contents(&bench, "x.safetensors"), contents(&bench, "y.safetensors"));
    let before = bench.everything(".");
    for out in ["x.npy", "x", "x.pth", "x.vnp.gz"] {
        // Before anything is read: there is no such input.
        embed(&bench, "none", out, &[]).expect(1, &[".vnp, .pt, .safetensors"]);
    }
    assert_eq!(bench.everything("."), before);
}

#[test]
fn an_output_is_kept_continued_or_replaced_on_request() {
    let bench = Bench::new();
    bench.write("in", ">a\nMKV\n");
    bench.write("other", ">a\nWWW\n");
    embed(&bench, "in", "x.vnp", &[]).expect(0, &[]);
    let before = bench.everything(".");
    embed(&bench, "other", "x.vnp", &[]).expect(1, &["x.vnp exists", "--resume", "--force"]);
    embed(&bench, "in", "x.vnp", &["--resume"]).expect(0, &["nothing was done"]);
    embed(&bench, "other", "x.vnp", &["--resume"]).expect(3, &["input was ", ", is now "]);
    let mask = ["--resume", "--unknown-residues", "mask"];
    embed(&bench, "in", "x.vnp", &mask).expect(3, &["unknown_residues was refuse, is now mask"]);
    bench
        .vnp(&words("in", "dnabert-s", "x.vnp", &["--resume"]))
        .expect(3, &["encoder was esm2, is now dnabert-s", "weights was "]);
    embed(&bench, "in", "x.vnp", &["--resume", "--force"]).expect(1, &["cannot be used with"]);
    assert_eq!(bench.everything("."), before);
    embed(&bench, "other", "x.vnp", &["--force"]).expect(0, &[]);
    assert_ne!(bench.everything("."), before);
}

/// A safetensors file with a type that no release reads.
fn safetensors_of_8_bits() -> Vec<u8> {
    let header = br#"{"w":{"dtype":"F8_E4M3","shape":[1],"data_offsets":[0,1]}}"#;
    [&(header.len() as u64).to_le_bytes()[..], header, &[0]].concat()
}

#[test]
fn files_of_others_stay_whatever_is_asked_for() {
    let bench = Bench::new();
    bench.write("in", ">a\nMKV\n");
    for out in ["own.vnp", "own.pt", "own.safetensors"] {
        embed(&bench, "in", out, &[]).expect(0, &[]);
    }
    let own = |name: &str| std::fs::read(bench.path(name)).unwrap();
    let fixture = |name: &str| std::fs::read(root().join("tests/fixtures").join(name)).unwrap();
    let half = |mut bytes: Vec<u8>| {
        bytes.truncate(bytes.len() / 2);
        bytes
    };
    let unknown = "cannot be recognised as one of vnp embed";
    let cases = [
        ("part.vnp", fixture("v1.0/embedding.vnp"), "of kind nucleotide, which vnp embed did not"),
        ("dict.pt", fixture("torch/f16.pt"), "of kind merged, which vnp embed did not"),
        ("class.pt", fixture("torch/path.pt"), unknown),
        ("damaged.pt", half(own("own.pt")), unknown),
        ("eight.safetensors", safetensors_of_8_bits(), unknown),
        ("damaged.safetensors", half(own("own.safetensors")), "not a checkpoint"),
        ("text.vnp", b"notes of a user".to_vec(), "a file that is not a checkpoint"),
        ("byte.vnp", own("own.vnp")[..3].to_vec(), unknown),
    ];
    for (name, bytes, _) in &cases {
        bench.write(name, bytes);
    }
    let before = bench.everything(".");
    for (name, _, found) in cases {
        for start in ["--force", "--resume", "--force-resume"] {
            let refused = embed(&bench, "in", name, &[start]);
            refused.expect(1, &[name, found, "choose another name, or move it away"]);
            assert!(!refused.stderr.contains("loading the encoder"), "{}", refused.stderr);
            assert_eq!(bench.everything("."), before, "{name} {start}");
        }
    }
}

#[test]
fn an_own_output_that_is_damaged_or_empty_is_replaced_or_quarantined() {
    let bench = Bench::new();
    bench.write("in", ">a\nMKV\n");
    embed(&bench, "in", "whole.vnp", &[]).expect(0, &[]);
    let mut torn = std::fs::read(bench.path("whole.vnp")).unwrap();
    torn.truncate(torn.len() / 2);
    for (bytes, reason) in [(torn, "bytes"), (Vec::new(), "the file is empty")] {
        bench.write("x.vnp", &bytes);
        embed(&bench, "in", "x.vnp", &["--resume"]).expect(3, &["x.vnp", reason]);
        assert_eq!(std::fs::read(bench.path("x.vnp")).unwrap(), bytes);
        embed(&bench, "in", "x.vnp", &["--force"]).expect(0, &[]);
        assert_eq!(contents(&bench, "x.vnp"), contents(&bench, "whole.vnp"));
        assert!(!bench.path("x.vnp.parts").exists());

        bench.write("x.vnp", &bytes);
        embed(&bench, "in", "x.vnp", &["--force-resume"]).expect(0, &["quarantined as x.vnp.bad"]);
        assert_eq!(contents(&bench, "x.vnp"), contents(&bench, "whole.vnp"));
        assert_eq!(std::fs::read(bench.path("x.vnp.bad")).unwrap(), bytes);
        let log = bench.path("x.vnp.parts/checkpoints/failed_checkpoints.txt");
        assert!(std::fs::read_to_string(log).unwrap().contains(reason));
        std::fs::remove_dir_all(bench.path("x.vnp.parts")).unwrap();
        std::fs::remove_file(bench.path("x.vnp.bad")).unwrap();
    }
    // A link to nothing is none of these, and what it names is not made.
    std::os::unix::fs::symlink("nowhere", bench.path("link.vnp")).unwrap();
    embed(&bench, "in", "link.vnp", &[]).expect(1, &["link.vnp exists"]);
    embed(&bench, "in", "link.vnp", &["--force"]).expect(0, &[]);
    assert!(bench.path("link.vnp").is_file() && !bench.path("nowhere").exists());
}

#[test]
fn standard_input_is_embedded_too() {
    let bench = Bench::new();
    let input = bench.write("in", ">a\nMKV\n>b\nWWW\n");
    embed(&bench, "in", "file.vnp", &[]).expect(0, &[]);
    bench.vnp_with_stdin(&words("-", "esm2", "stdin.vnp", &[]), &input).expect(0, &[]);
    assert_eq!(contents(&bench, "stdin.vnp"), contents(&bench, "file.vnp"));
    assert!(!bench.path("stdin.vnp.parts").exists());
}

#[test]
fn what_is_wrong_with_a_stream_is_said_of_the_stream() {
    let bench = Bench::new();
    let fifo = std::process::Command::new("mkfifo").arg(bench.path("fifo")).status().unwrap();
    assert!(fifo.success());
    for (text, encoder, expected) in [
        ("@a\nACGT\n+\n!!\n", "dnabert-s", "a"),
        ("no FASTA", "esm2", "FASTA"),
        (">a\nMKLE\n", "dnabert-s", "none of the 1 records is a nucleotide sequence"),
    ] {
        let input = bench.write("in", text);
        let stdin = bench.vnp_with_stdin(&words("-", encoder, "x.vnp", &[]), &input);
        stdin.expect(1, &["standard input", expected]);
        assert!(!stdin.stderr.contains("standard-input-"), "{}", stdin.stderr);
        let (fifo, text) = (bench.path("fifo"), text.to_owned());
        let writer = std::thread::spawn(move || std::fs::write(fifo, text));
        let piped = bench.vnp(&words("fifo", encoder, "x.vnp", &[]));
        piped.expect(1, &["fifo: ", expected]);
        assert!(!piped.stderr.contains("standard-input-"), "{}", piped.stderr);
        writer.join().unwrap().unwrap();
        assert!(!bench.path("x.vnp").exists() && !bench.path("x.vnp.parts").exists());
    }
}

const ROWS: u64 = 32;
const SLOW: [&str; 4] = ["--resume", "-v", "--checkpoint-rows", "32"];

fn start(bench: &Bench) -> Child {
    let messages = std::fs::File::create(bench.path("messages.txt")).unwrap();
    let mut command = bench.command(&words("in", "esm2", "x.vnp", &SLOW));
    command.stdout(Stdio::null()).stderr(messages).spawn().unwrap()
}

fn messages(bench: &Bench) -> String {
    std::fs::read_to_string(bench.path("messages.txt")).unwrap()
}

/// Counts how often each row was computed, by the messages.
fn count(bench: &Bench, computed: &mut BTreeMap<u64, u64>) {
    let messages = messages(bench);
    for line in messages.lines() {
        let Some((_, rows)) = line.split_once("computed rows ") else { continue };
        let (start, end) = rows.split_once("..").unwrap();
        for row in start.parse::<u64>().unwrap()..end.parse().unwrap() {
            *computed.entry(row).or_default() += 1;
        }
    }
}

#[test]
fn killed_runs_end_like_undisturbed_ones() {
    let bench = Bench::new();
    bench.write("in", proteins(1500, 700));
    embed(&bench, "in", "undisturbed.vnp", &[]).expect(0, &[]);
    let mut computed = BTreeMap::new();
    let mut kills = 0;
    for saves in [0, 1, 3, 5, 8, 40] {
        let mut child = start(&bench);
        let patience = Instant::now() + Duration::from_secs(120);
        while child.try_wait().unwrap().is_none() {
            assert!(Instant::now() < patience, "{}", messages(&bench));
            if messages(&bench).matches("saved rows ").count() >= saves {
                std::thread::sleep(Duration::from_millis(saves as u64 % 4));
                drop(child.kill());
                break;
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        kills += u64::from(!child.wait().unwrap().success());
        count(&bench, &mut computed);
        for part in bench.parts("x.vnp.parts", "protein") {
            load_with_compatibility(&part, &Limits::default()).unwrap();
        }
    }
    assert!(kills >= 4, "only {kills} runs were killed");
    let last = embed(&bench, "in", "x.vnp", &SLOW);
    last.expect(0, &[]);
    bench.write("messages.txt", &last.stderr);
    count(&bench, &mut computed);
    assert_eq!(contents(&bench, "x.vnp"), contents(&bench, "undisturbed.vnp"));
    assert!(!bench.path("x.vnp.parts").exists());
    let again: u64 = computed.values().map(|times| times - 1).sum();
    assert_eq!(computed.len(), 1500);
    assert!(again <= kills * ROWS, "{again} rows computed again over {kills} kills");
}

#[test]
fn a_second_process_is_refused() {
    let bench = Bench::new();
    bench.write("in", proteins(1500, 700));
    let mut child = start(&bench);
    let patience = Instant::now() + Duration::from_secs(120);
    while !messages(&bench).contains("saved rows ") {
        assert!(Instant::now() < patience, "{}", messages(&bench));
        std::thread::sleep(Duration::from_millis(1));
    }
    let stop = std::process::Command::new("kill").args(["-STOP", &child.id().to_string()]).status();
    assert!(stop.unwrap().success());
    for word in ["--resume", "--force", "--force-resume"] {
        embed(&bench, "in", "x.vnp", &[word]).expect(1, &["is in use by process "]);
    }
    child.kill().unwrap();
    child.wait().unwrap();
    embed(&bench, "in", "x.vnp", &[]).expect(1, &["x.vnp.parts exists", "--resume", "--force"]);
    embed(&bench, "in", "x.vnp", &["--force"]).expect(0, &[]);
}

/// A run whose output is called like the built-in model does not stand in its way.
#[test]
fn mini_is_the_built_in_model_whatever_lies_there() {
    let bench = Bench::new();
    bench.write("reads.fa", ">a\nGCCGCCGCC\n");
    for how in [&[][..], &["--resume"]] {
        bench.vnp(&[&["predict", "reads.fa", "-o", "mini"], how].concat()).expect(0, &[]);
    }
    let words = ["embed", "reads.fa", "--encoder", "dnabert-s", "--weights", "mini", "-o", "x.vnp"];
    bench.vnp(&words).expect(0, &[]);
}
