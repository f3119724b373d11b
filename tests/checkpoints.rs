//! `validate-checkpoints` and `checkpoint inspect`.

use crate::support::{Bench, Nucleotides};

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
