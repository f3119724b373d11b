//! Files that ask for far more than their size, given as every part of a model: a clear error, in little memory
//! and time.

use std::time::Instant;

use vnp_forge::hostile_sizes;

use crate::support::{Bench, Ended, copy_directory, ended, root};

/// Of each file.
const FILE_BYTES: usize = 2_000_000;
/// Address space, of which a program without hostile files takes a third.
const MEGABYTES: u64 = 500;

/// Runs a command, which must refuse its file in time.
#[track_caller]
fn refused(bench: &Bench, words: &[&str], file: &str) -> Ended {
    let started = Instant::now();
    let found = ended(&mut bench.limited(MEGABYTES, words));
    let seconds = started.elapsed().as_secs_f64();
    assert_eq!(found.code, Some(1), "{words:?}\n{}", found.stderr);
    assert!(found.stderr.contains(file) && found.stderr.len() < 2_000, "{}", found.stderr);
    // Of a machine that does other things, too.
    assert!(seconds < 20.0, "{words:?}: {seconds} s");
    found
}

#[test]
fn as_heads_and_weights() {
    let bench = Bench::new();
    bench.write("in.fa", ">a\nGCCGCCGCCGCC\n");
    for case in hostile_sizes::all() {
        let (name, file) = (case.name, &case.file_name());
        bench.write(file, (case.make)(FILE_BYTES));
        let embed =
            |encoder| ["embed", "in.fa", "--encoder", encoder, "--weights", file, "-o", "e.vnp"];
        refused(&bench, &["predict", "in.fa", "-m", "custom", "-p", file, "-o", "out"], name);
        refused(&bench, &embed("esm2"), name);
        refused(&bench, &embed("dnabert-s"), name);
        let import = ["models", "import", "--esm2", file, "--dnabert", file, "--head", file];
        let more = ["--expected-length", "500", "-o", "m"];
        refused(&bench, &[&import[..], &more].concat(), name);
        std::fs::remove_file(bench.path(file)).unwrap();
    }
    for left in ["out", "e.vnp", "m"] {
        assert!(!bench.path(left).exists(), "{left}");
    }
}

/// Within a bundle, which is checked by the digests and by loading it.
#[test]
fn as_files_of_a_bundle() {
    let bench = Bench::new();
    bench.write("in.fa", ">a\nGCCGCCGCCGCC\n");
    copy_directory(&root().join("crates/vnp-infer/models/mini"), &bench.path("m"));
    bench.vnp(&["models", "verify", "m"]).expect(0, &[]);
    for case in hostile_sizes::all().iter().filter(|case| case.extension == "safetensors") {
        for file in ["esm2/model.safetensors", "dnabert/model.safetensors", "head.safetensors"] {
            let path = bench.path("m").join(file);
            let whole = std::fs::read(&path).unwrap();
            std::fs::write(&path, (case.make)(FILE_BYTES)).unwrap();
            refused(&bench, &["models", "verify", "m"], file);
            refused(&bench, &["predict", "in.fa", "-m", "m", "-o", "out"], file);
            std::fs::write(&path, whole).unwrap();
        }
    }
    // A file with a hole of a gigabyte at its end.
    for file in ["bundle.json", "esm2/config.json", "dnabert/tokenizer.json"] {
        let path = bench.path("m").join(file);
        let whole = std::fs::read(&path).unwrap();
        let opened = std::fs::OpenOptions::new().write(true).open(&path).unwrap();
        opened.set_len(1 << 30).unwrap();
        let found = refused(&bench, &["predict", "in.fa", "-m", "m", "-o", "out"], file);
        found.expect(1, &["larger than 16 MiB"]);
        std::fs::write(&path, whole).unwrap();
    }
}

/// An index that lists as many names as fit, none of which its file has, or all.
#[test]
fn as_an_index_of_weights() {
    let bench = Bench::new();
    bench.write("in.fa", ">a\nGCCGCCGCCGCC\n");
    let names: Vec<String> = (0..20_000).map(|number| format!("t{number}")).collect();
    let list =
        |of: &str| names.iter().map(|name| of.replace('N', name)).collect::<Vec<_>>().join(",");
    let header = format!("{{{}}}", list(r#""N":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}"#));
    let length = (header.len() as u64).to_le_bytes();
    bench.write("a.safetensors", [&length, header.as_bytes()].concat());
    let words = ["embed", "in.fa", "--encoder", "esm2", "--weights", "i.json", "-o", "e.vnp"];
    for (value, expected) in [("a.safetensors", "i.json"), ("../a", "expected the name of a file")]
    {
        let index = format!(r#"{{"weight_map":{{{}}}}}"#, list(&format!(r#""N":"{value}""#)));
        bench.write("i.json", index);
        assert!(refused(&bench, &words, "").stderr.contains(expected));
    }
}
