//! `validate-checkpoints`, `checkpoint inspect` and `checkpoint convert`.

use crate::support::{Bench, Nucleotides, root};

fn finished() -> Bench {
    let bench = Bench::new();
    bench.write("in.fa", Nucleotides::new(9).fasta(4, 600));
    bench.vnp(&["predict", "in.fa", "-o", "out", "--checkpoint-rows", "8"]).expect(0, &[]);
    bench
}

#[test]
fn good_checkpoints_are_ok_and_bad_ones_are_3() {
    let bench = finished();
    let parts = bench.parts("out", "scores").len();
    let good = bench.vnp(&["validate-checkpoints", "out"]);
    good.expect(0, &[]);
    assert_eq!(good.stdout.matches("OK").count(), parts, "{}", good.stdout);
    let bad = &bench.parts("out", "scores")[0];
    let whole = std::fs::read(bad).unwrap();
    std::fs::write(bad, &whole[..whole.len() / 2]).unwrap();
    let before = bench.everything("out");
    let ended = bench.vnp(&["validate-checkpoints", "out"]);
    ended.expect(3, &[]);
    assert_eq!(ended.stdout.matches("CORRUPTED").count(), 1, "{}", ended.stdout);
    bench.vnp(&["validate-checkpoints", "out", "--skip-load"]).expect(3, &[]);
    assert_eq!(bench.everything("out"), before, "looking must change nothing");
    // Whoever reads only the beginning must not turn a failure into a success.
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let mut command = bench.command(&["validate-checkpoints", "out"]);
    assert_eq!(command.stdout(writer).status().unwrap().code(), Some(3));
    bench.vnp(&["validate-checkpoints", "out", "--log-failures"]).expect(3, &[]);
    let again = bench.vnp(&["validate-checkpoints", "out", "--json"]);
    again.expect(3, &[]);
    let report: serde_json::Value = serde_json::from_str(&again.stdout).unwrap();
    assert_eq!(report["files"].as_array().unwrap().len(), parts);
    assert_eq!(report["files"][0]["result"], "CORRUPTED");
    assert_eq!(report["files"][1]["result"], "OK");
    assert_eq!(report["files"][1]["version"], "1.0");
    assert_eq!(report["recorded_failures"].as_array().unwrap().len(), 1);
}

#[test]
fn mixed_trees_say_what_proves_each_file() {
    let bench = Bench::new();
    std::fs::create_dir(bench.path("mixed")).unwrap();
    let files = [
        ("v1.0/embedding.vnp", "a.vnp"),
        ("v1.0/embedding.pt", "b.pt"),
        ("torch/nocrc.pt", "c.pt"),
        ("torch/mlp_state_dict.pth", "d.pth"),
        ("hostile/global-eval.pt", "e.pt"),
        ("hostile/archive-byteorder-big.pt", "f.pt"),
    ];
    for (from, to) in files {
        std::fs::copy(root().join("tests/fixtures").join(from), bench.path("mixed").join(to))
            .unwrap();
    }
    let before = bench.everything("mixed");
    let ended = bench.vnp(&["validate-checkpoints", "mixed", "--json"]);
    ended.expect(3, &["Loading checkpoint v0.x: c.pt", "Loading checkpoint v1.0: a.vnp"]);
    let report: serde_json::Value = serde_json::from_str(&ended.stdout).unwrap();
    let listed: Vec<_> = report["files"]
        .as_array()
        .unwrap()
        .iter()
        .map(|file| ["version", "result", "integrity"].map(|key| file[key].as_str().unwrap_or("-")))
        .collect();
    let expected = [
        ["1.0", "OK", "digests"],
        ["1.0", "OK", "crc-32"],
        ["0.x", "OK", "unverified"],
        ["0.x", "OK", "crc-32"],
        ["-", "CORRUPTED", "-"],
        ["-", "INCOMPATIBLE", "-"],
    ];
    assert_eq!(listed, expected);
    let table = bench.vnp(&["validate-checkpoints", "mixed"]);
    assert!(table.stdout.contains("unverified: it has no checksums"), "{}", table.stdout);
    assert_eq!(bench.everything("mixed"), before);
}

#[test]
fn a_directory_without_checkpoints_is_3_and_a_missing_one_is_1() {
    let bench = Bench::new();
    std::fs::create_dir(bench.path("empty")).unwrap();
    bench.vnp(&["validate-checkpoints", "empty"]).expect(3, &["no checkpoints"]);
    bench.vnp(&["validate-checkpoints", "missing"]).expect(1, &["missing"]);
}

#[test]
fn inspect_tells_what_a_part_is_without_reading_it() {
    let bench = finished();
    let part = bench.parts("out", "scores")[0].to_str().unwrap().to_owned();
    let text = bench.vnp(&["checkpoint", "inspect", &part]);
    text.expect(0, &[]);
    for expected in ["scores", "1.0", "complete", "0..8", "[8, 2]", "metadata.identity"] {
        assert!(text.stdout.contains(expected), "{expected}:\n{}", text.stdout);
    }
    let json = bench.vnp(&["checkpoint", "inspect", &part, "--json"]);
    let json: serde_json::Value = serde_json::from_str(&json.stdout).unwrap();
    assert_eq!(json["rows"]["end"], 8);
    assert_eq!(json["tensors"][0]["dtype"], "f32");
    bench.write("junk.vnp", "not a checkpoint at all");
    bench.vnp(&["checkpoint", "inspect", "junk.vnp"]).expect(3, &["junk.vnp", "not a checkpoint"]);
    bench.vnp(&["checkpoint", "inspect", "missing.vnp"]).expect(1, &["missing.vnp"]);
}

/// The bytes of a fixture of version 1.0.
fn fixture(name: &str) -> Vec<u8> {
    std::fs::read(root().join("tests/fixtures/v1.0").join(name)).unwrap()
}

#[test]
fn inspect_tells_what_a_file_of_another_format_is() {
    let bench = Bench::new();
    bench.write("merged.pt", fixture("merged.pt"));
    let text = bench.vnp(&["checkpoint", "inspect", "merged.pt"]);
    text.expect(0, &[]);
    for expected in ["merged", "1.0", "crc-32", "complete", "0..2", "data f32 [2, 5]"] {
        assert!(text.stdout.contains(expected), "{expected}:\n{}", text.stdout);
    }
    let head = root().join("tests/fixtures/parity/head.safetensors");
    let json = bench.vnp(&["checkpoint", "inspect", head.to_str().unwrap(), "--json"]);
    json.expect(0, &[]);
    let json: serde_json::Value = serde_json::from_str(&json.stdout).unwrap();
    assert_eq!((&json["version"], &json["kind"]), (&"0.x".into(), &"weights".into()));
    assert_eq!((&json["integrity"], &json["rows"]["end"]), (&"unverified".into(), &0.into()));
    assert!(json["tensors"].as_array().unwrap().len() > 1);
}

#[test]
fn convert_writes_the_same_checkpoint_in_every_format() {
    let bench = finished();
    let part = bench.parts("out", "scores")[0].clone();
    let before = bench.everything("out");
    let native = part.to_str().unwrap();
    let messages = ["converted", "version 1.0", "8 rows", "3 tensors"];
    bench.vnp(&["checkpoint", "convert", native, "a.pt"]).expect(0, &messages);
    bench.vnp(&["checkpoint", "convert", "a.pt", "b.safetensors"]).expect(0, &messages);
    bench.vnp(&["checkpoint", "convert", "b.safetensors", "c.vnp"]).expect(0, &messages);
    assert_eq!(std::fs::read(bench.path("c.vnp")).unwrap(), std::fs::read(&part).unwrap());
    assert_eq!(bench.everything("out"), before, "the input is left as it was");
    // An existing file is replaced, whatever it is.
    bench.write("a.pt", "something else");
    bench.vnp(&["checkpoint", "convert", "c.vnp", "a.pt"]).expect(0, &messages);
    bench.vnp(&["checkpoint", "convert", "a.pt", "c.vnp", "--quiet"]).expect(0, &[]);
    assert_eq!(std::fs::read(bench.path("c.vnp")).unwrap(), std::fs::read(&part).unwrap());
}

#[test]
fn convert_reads_what_the_contents_are_and_writes_what_the_name_says() {
    let bench = Bench::new();
    bench.write("in.bin", fixture("protein.pt"));
    bench.vnp(&["checkpoint", "convert", "in.bin", "out.vnp"]).expect(0, &["2 rows"]);
    assert_eq!(std::fs::read(bench.path("out.vnp")).unwrap(), fixture("protein.vnp"));
    for name in ["out.pth", "out.bin", "out", "out.txt"] {
        let ended = bench.vnp(&["checkpoint", "convert", "in.bin", name]);
        ended.expect(1, &[".vnp", ".pt", ".safetensors", name]);
        assert!(!bench.path(name).exists(), "{name}");
    }
}

#[test]
fn convert_leaves_no_output_of_a_bad_input() {
    let bench = Bench::new();
    let whole = fixture("embedding.pt");
    bench.write("cut.pt", &whole[..whole.len() / 2]);
    bench.write("junk.pt", "not a checkpoint at all");
    let mut newer = fixture("embedding.vnp");
    newer[10] = 1;
    bench.write("newer.vnp", newer);
    bench.write("old.vnp", "the old output");
    for (name, messages) in
        [("cut.pt", "cut.pt"), ("junk.pt", "not a checkpoint"), ("newer.vnp", "upgrade")]
    {
        bench.vnp(&["checkpoint", "convert", name, "out.vnp"]).expect(3, &[messages]);
        assert!(!bench.path("out.vnp").exists(), "{name}");
        bench.vnp(&["checkpoint", "convert", name, "old.vnp"]).expect(3, &[messages]);
        assert_eq!(std::fs::read(bench.path("old.vnp")).unwrap(), b"the old output");
    }
    bench.vnp(&["checkpoint", "convert", "missing.pt", "out.vnp"]).expect(1, &["missing.pt"]);
    bench.vnp(&["checkpoint", "convert", "missing.pt", "old.vnp"]).expect(1, &["missing.pt"]);
    bench.write("good.pt", whole);
    let ended = bench.vnp(&["checkpoint", "convert", "good.pt", "missing/out.vnp"]);
    ended.expect(1, &["missing/out.vnp"]);
    let names: Vec<_> = bench.everything("").into_keys().collect();
    assert_eq!(names.len(), 5, "nothing is left behind: {names:?}");
}

#[cfg(unix)]
#[test]
fn convert_never_writes_over_its_input() {
    let bench = Bench::new();
    bench.write("a.pt", fixture("merged.pt"));
    std::os::unix::fs::symlink("a.pt", bench.path("link.pt")).unwrap();
    std::fs::hard_link(bench.path("a.pt"), bench.path("hard.pt")).unwrap();
    for (input, output) in [
        ("a.pt", "a.pt"),
        ("a.pt", "./a.pt"),
        ("a.pt", "link.pt"),
        ("link.pt", "a.pt"),
        ("a.pt", "hard.pt"),
    ] {
        let ended = bench.vnp(&["checkpoint", "convert", input, output]);
        ended.expect(1, &["another file"]);
        assert_eq!(std::fs::read(bench.path("a.pt")).unwrap(), fixture("merged.pt"));
    }
    assert!(bench.path("link.pt").is_symlink());
}
