//! Telling about a file costs no more than the file: long values are cut in tables and streamed as JSON.

use vnp_ckpt::{Checkpoint, RowRange, Value};
use vnp_forge::items::{archive, dict, int, list, pickle, tensor, text};

use crate::support::{Bench, ended};

#[test]
fn a_long_list_in_a_pytorch_file_is_cut_in_the_table() {
    let bench = Bench::new();
    let vocab: Vec<_> = (0..20_000).map(int).collect();
    let weights = dict(&[("w", tensor("0", &[3])), ("vocab", list(&vocab))]);
    bench.write("a.pt", archive(&pickle(&weights), &[("0", &[0; 12])]));
    let table = bench.vnp(&["checkpoint", "inspect", "a.pt"]);
    table.expect(0, &[]);
    let line = table.stdout.lines().find(|line| line.contains("vocab")).unwrap();
    assert!(line.contains("[0,1,2,3,") && line.len() < 700, "{line}");
    // [0,1,…,19999] has 108,891 letters, of which 500 are shown.
    assert!(line.ends_with("… (108,391 more letters: --json shows all)"), "{line}");
    let json = bench.vnp(&["checkpoint", "inspect", "a.pt", "--json"]);
    let json: serde_json::Value = serde_json::from_str(&json.expect(0, &[]).stdout).unwrap();
    let metadata = json["metadata"].as_object().unwrap();
    assert!(metadata.values().any(|value| value.as_array().is_some_and(|v| v.len() == 20_000)));
}

#[test]
fn metadata_of_ten_megabytes_is_shown_in_little_memory() {
    let bench = Bench::new();
    let long = format!("ü\n{}", "x".repeat(10 << 20));
    let mut builder =
        Checkpoint::builder("k").rows(RowRange::new(0, 0)).metadata("long", long.as_str());
    for number in 0..1000 {
        builder = builder.metadata(format!("key {number}"), number);
    }
    let list = Value::List(vec![Value::Int(0); 100_000]);
    let checkpoint = builder.metadata("list", list).build().unwrap();
    vnp_ckpt::atomic_save(&bench.path("a.vnp"), &checkpoint).unwrap();
    let table = ended(&mut bench.limited(400, &["checkpoint", "inspect", "a.vnp"]));
    table.expect(0, &[]);
    assert!(table.stdout.len() < 200_000, "{}", table.stdout.len());
    assert!(table.stdout.lines().all(|line| line.chars().count() < 700));
    let json = ended(&mut bench.limited(400, &["checkpoint", "inspect", "a.vnp", "--json"]));
    let json: serde_json::Value = serde_json::from_str(&json.expect(0, &[]).stdout).unwrap();
    assert_eq!(json["metadata"]["long"], long);
    // A reader that leaves early makes no failure of it.
    for more in [&[][..], &["--json"]] {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let mut command = bench.command(&[&["checkpoint", "inspect", "a.vnp"], more].concat());
        assert_eq!(command.stdout(writer).status().unwrap().code(), Some(0));
    }
}

#[test]
fn names_of_a_megabyte_make_short_messages() {
    let bench = Bench::new();
    let long = "n".repeat(1 << 20);
    let checkpoint = Checkpoint::builder(long.as_str()).rows(RowRange::new(0, 0)).build().unwrap();
    std::fs::create_dir(bench.path("tree")).unwrap();
    vnp_ckpt::atomic_save(&bench.path("tree/a.vnp"), &checkpoint).unwrap();
    let weights = dict(&[(&long, tensor("0", &[3])), ("note", text(&long))]);
    bench.write("tree/b.pt", archive(&pickle(&weights), &[("0", &[0; 8])]));
    bench.write("in.fa", format!(">{}\nMKVLE\n", "i".repeat(60_000)));
    let commands: [&[&str]; 7] = [
        &["checkpoint", "inspect", "tree/a.vnp"],
        &["checkpoint", "inspect", "tree/b.pt"],
        &["checkpoint", "convert", "tree/a.vnp", "a.pt"],
        &["validate-checkpoints", "tree"],
        &["validate-checkpoints", "tree", "--json"],
        &["predict", "in.fa", "-o", "out"],
        &["predict", "in.fa", "-m", "custom", "-p", "tree/a.vnp", "-o", "out"],
    ];
    for words in commands {
        let ended = bench.vnp(words);
        for line in ended.stdout.lines().chain(ended.stderr.lines()) {
            assert!(line.len() < 4000, "{words:?}: {} letters: {line:.200}…", line.len());
        }
    }
}
