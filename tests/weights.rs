//! Weights as they lie about in the field: wrapped names, broken values, and heads of another chunk length.

mod mistaken;
mod trainings;

use std::path::Path;

use vnp_forge::items::{call, dict, text};

use crate::heads::Head;
use crate::import::Import;
use crate::support::{Bench, Ended, Nucleotides, root};

/// Imports a head with the encoders of the fixtures, in place of an earlier import.
pub(crate) fn import(bench: &Bench, head: &Path) -> Ended {
    drop(std::fs::remove_dir_all(bench.path("tiny")));
    Import { head: head.to_owned(), ..Import::new() }.run(bench, "tiny")
}

/// The digest of the head that was imported last.
pub(crate) fn head_digest(bench: &Bench) -> serde_json::Value {
    bench.json("tiny/bundle.json")["digests"]["head"].clone()
}

#[test]
fn prefixes_are_removed_only_together() {
    let bench = Bench::new();
    let head = Head::new();
    import(&bench, &root().join("tests/fixtures/torch/head.pth")).expect(0, &[]);
    let expected = head_digest(&bench);
    for prefix in ["module.", "_orig_mod.", "module._orig_mod.", "model.module.", "classifier."] {
        let file = head.file(&bench, "h.pth", &head.state_dict(prefix));
        import(&bench, &file).expect(0, &[]);
        assert_eq!(head_digest(&bench), expected, "{prefix}");
    }
    let mut mixed = Head::new();
    for (name, ..) in mixed.tensors.iter_mut().filter(|(name, ..)| name != "bn1.bias") {
        name.insert_str(0, "module.");
    }
    let file = mixed.file(&bench, "h.pth", &mixed.state_dict(""));
    import(&bench, &file).expect(1, &["tensor bn1.bias is not below module."]);
}

#[test]
fn values_that_no_network_has_are_refused() {
    let bench = Bench::new();
    let check = |name: &str, value: f32, messages: &[&str]| {
        let head = Head::new().with(name, value);
        let file = head.file(&bench, "h.pth", &dict(&[("sd", head.state_dict(""))]));
        import(&bench, &file).expect(1, messages);
        assert!(!bench.path("tiny").exists());
        let out = ["predict", "reads.fa", "-p", "h.pth", "-o", "out"];
        bench.write("reads.fa", ">a\nACGT\n");
        bench.vnp(&out).expect(1, messages);
    };
    check(
        "hidden_layer.weight",
        f32::NAN,
        &["tensor sd.hidden_layer.weight", "NaN at index [0, 0]"],
    );
    check("bn1.bias", f32::INFINITY, &["tensor sd.bn1.bias holds inf at index [0]"]);
    check("bn1.running_var", -1.0, &["tensor sd.bn1.running_var", "a variance of -1 at index [0]"]);
}

#[test]
fn verify_names_the_value() {
    let bench = Bench::new();
    Import::new().run(&bench, "tiny").expect(0, &[]);
    let path = bench.path("tiny/head.safetensors");
    let mut bytes = std::fs::read(&path).unwrap();
    let length = bytes.len();
    bytes[length - 4..].copy_from_slice(&f32::NAN.to_le_bytes());
    std::fs::write(&path, bytes).unwrap();
    let verified = bench.vnp(&["models", "verify", "./tiny"]);
    verified
        .expect(1, &["head.safetensors: tensor output_layer.weight holds NaN at index [1, 31]"]);
    assert!(verified.stdout.contains("BAD"));
}

#[test]
fn a_head_of_f64_is_converted() {
    let bench = Bench::new();
    import(&bench, &root().join("tests/fixtures/torch/head.pth")).expect(0, &[]);
    let expected = head_digest(&bench);
    let head = Head::new().in_f64();
    import(&bench, &head.file(&bench, "h.pth", &head.state_dict(""))).expect(0, &[]);
    assert_eq!(head_digest(&bench), expected);
    let mut large = Head::new().in_f64();
    large.tensors[0].3[8..16].copy_from_slice(&1e300_f64.to_le_bytes());
    let name = large.tensors[0].0.clone();
    let file = large.file(&bench, "h.pth", &large.state_dict(""));
    let message = format!("tensor {name} holds 1e300, which f32 cannot hold, at index");
    import(&bench, &file).expect(1, &[&message]);
}

#[test]
fn only_what_may_run_a_program_is_an_alarm() {
    let bench = Bench::new();
    let head = Head::new();
    let with = |name: &str, more: Vec<u8>| {
        head.file(&bench, name, &dict(&[("sd", head.state_dict("")), ("more", more)]))
    };
    let file = with("h.pth", call("os", "system", &[text("true")]));
    import(&bench, &file).expect(1, &["`os.system`", "it may run a program"]);
    for class in [("datetime", "datetime"), ("torch.optim.adam", "Adam"), ("mylab", "Config")] {
        let file = with("h.pth", call(class.0, class.1, &[]));
        let ended = import(&bench, &file);
        ended.expect(1, &[&format!("unsupported class `{}.{}`", class.0, class.1)]);
        assert!(!ended.stderr.contains("run a program"), "{}", ended.stderr);
    }
    bench.vnp(&["checkpoint", "inspect", "h.pth"]).expect(3, &["unsupported class `mylab.Config`"]);
    std::fs::create_dir(bench.path("dir")).unwrap();
    std::fs::rename(bench.path("h.pth"), bench.path("dir/h.pth")).unwrap();
    let report = bench.vnp(&["validate-checkpoints", "dir"]);
    assert!(report.expect(3, &[]).stdout.contains("INCOMPATIBLE"), "{}", report.stdout);
}

/// The commands on checkpoints too go by first bytes.
#[test]
fn checkpoints_under_other_names() {
    let bench = Bench::new();
    let head = root().join("tests/fixtures/torch/head.pth");
    let plain = bench.path("head.dat");
    std::fs::copy(&head, &plain).unwrap();
    let inspected = bench.vnp(&["checkpoint", "inspect", "head.dat"]);
    assert!(inspected.expect(0, &[]).stdout.contains("hidden_layer.weight"));
    bench.vnp(&["checkpoint", "convert", "head.dat", "head.vnp"]).expect(0, &[]);
    import(&bench, &head).expect(0, &[]);
    let expected = head_digest(&bench);
    for name in ["head.dat", "head.vnp"] {
        import(&bench, &bench.path(name)).expect(0, &[]);
        assert_eq!(head_digest(&bench), expected);
    }
    bench.write("reads.fa", Nucleotides::new(1).fasta(1, 700));
    let predict = ["predict", "reads.fa", "-m", "./tiny", "-p", "head.vnp", "-o", "out"];
    bench.vnp(&predict).expect(0, &[]);
}

/// A tokenizer with a byte order mark is the same tokenizer.
#[test]
fn a_byte_order_mark_changes_nothing() {
    let bench = Bench::new();
    Import::new().run(&bench, "tiny").expect(0, &[]);
    let digests = || bench.json("tiny/bundle.json")["digests"].clone();
    let expected = digests();
    let with_mark = |path: &Path| [b"\xef\xbb\xbf", &std::fs::read(path).unwrap()[..]].concat();
    let tokenizer = bench.write("tokenizer.json", with_mark(&Import::new().tokenizer));
    std::fs::remove_dir_all(bench.path("tiny")).unwrap();
    Import { tokenizer, ..Import::new() }.run(&bench, "tiny").expect(0, &[]);
    assert_eq!(digests(), expected);
    for name in ["bundle.json", "esm2/config.json", "dnabert/tokenizer.json"] {
        let path = bench.path("tiny").join(name);
        let marked = with_mark(&path);
        std::fs::write(&path, marked).unwrap();
    }
    bench.vnp(&["models", "verify", "./tiny"]).expect(0, &[]);
}

#[test]
fn another_chunk_length_is_recorded() {
    let bench = Bench::new();
    let said = "that it was trained on chunks of 500 bp was stated when it was imported";
    Import::new().run(&bench, "tiny").expect(0, &[said]);
    let manifest = bench.json("tiny/bundle.json");
    assert_eq!(manifest["expected_length_source"], "stated");
    bench.vnp(&["models", "verify", "./tiny"]).expect(0, &[said]);
    let blob = &manifest["provenance"]["imported"]["head"]["git_blob"];
    assert_eq!(blob.as_str().map(str::len), Some(40));
    bench.write("reads.fa", Nucleotides::new(1).fasta(1, 700));
    let run = |out: &str, words: &[&str]| {
        bench.vnp(&[&["predict", "reads.fa", "-m", "./tiny", "-o", out][..], words].concat())
    };
    let warning =
        "the model was trained on chunks of 500 bp: its scores of 300 bp may be unreliable";
    run("other", &["-e", "300"]).expect(0, &[warning]);
    assert_eq!(bench.json("other/run.json")["warnings"], serde_json::json!([warning]));
    let plain = run("plain", &[]);
    assert!(!plain.expect(0, &[]).stderr.contains("unreliable"));
    assert!(bench.json("plain/run.json").get("warnings").is_none());
}

/// Of a head that is given by itself nothing says for which length it was trained.
#[test]
fn a_head_of_unknown_length_is_a_warning() {
    let bench = Bench::new();
    Import::new().run(&bench, "tiny").expect(0, &[]);
    let head = Head::new().with("bn1.bias", 0.25);
    head.file(&bench, "h.pth", &head.state_dict(""));
    bench.write("reads.fa", Nucleotides::new(1).fasta(1, 700));
    for (length, words) in [("500", &[][..]), ("300", &["-e", "300"])] {
        let run = ["predict", "reads.fa", "-m", "./tiny", "-p", "h.pth", "-o", length];
        let warning = format!(
            "the chunk length that the head of --model-path was trained on is not known: the run uses \
             {length} bp"
        );
        let ended = bench.vnp(&[&run[..], words].concat());
        assert!(!ended.expect(0, &[&warning]).stderr.contains("unreliable"), "{}", ended.stderr);
        let recorded = bench.json(&format!("{length}/run.json"))["warnings"].clone();
        assert_eq!(recorded, serde_json::json!([warning]));
    }
    // The bundle's own head is known as far as the bundle's is.
    let own = ["predict", "reads.fa", "-m", "./tiny", "-p", "tiny/head.safetensors", "-o", "own"];
    bench.vnp(&own).expect(0, &[]);
    assert!(bench.json("own/run.json").get("warnings").is_none());
}

/// Weights that are finite may give scores that are not.
#[test]
fn a_head_without_finite_scores_is_the_reason() {
    let bench = Bench::new();
    let mut head = Head::new();
    let output = head.tensors.iter_mut().find(|(name, ..)| name == "output_layer.weight").unwrap();
    output.3 = vec![f32::MAX; 64].into_iter().flat_map(f32::to_le_bytes).collect();
    let file = head.file(&bench, "h.pth", &head.state_dict(""));
    import(&bench, &file).expect(0, &[]);
    bench.write("reads.fa", Nucleotides::new(1).fasta(2, 700));
    let run = ["predict", "reads.fa", "-m", "./tiny", "-o", "out"];
    bench.vnp(&run).expect(2, &[]);
    let table = std::fs::read_to_string(bench.path("out/sequences.tsv")).unwrap();
    let reason = "a score that is not finite from embeddings that are: the head is the cause";
    assert!(table.lines().skip(1).any(|line| line.contains(reason)), "{table}");
    assert!(!table.contains("gave an embedding that is not finite"), "{table}");
    let failed = std::fs::read_to_string(bench.path("out/checkpoints/failed_files.txt")).unwrap();
    assert!(failed.contains("the head is the cause"), "{failed}");
    // The words stay the same when the run is read again.
    std::fs::remove_file(bench.path("out/run.json")).unwrap();
    bench.vnp(&[&run[..], &["--resume"]].concat()).expect(2, &[]);
    assert_eq!(std::fs::read_to_string(bench.path("out/sequences.tsv")).unwrap(), table);
}
