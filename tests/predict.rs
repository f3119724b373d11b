//! `vnp predict` without disturbances: results, options, input formats.

use crate::support::{Bench, Nucleotides, RESULTS, example};

#[test]
fn the_example_gives_the_four_files_and_a_resume_changes_none() {
    let bench = Bench::new();
    let first = bench.vnp(&["predict", &example(), "-o", "out"]);
    first.expect(0, &["5 records", "records are viral", "results are in out"]);
    assert_eq!(first.stdout, "", "data goes to files, messages to standard error");
    let before = bench.everything("out");
    let names: Vec<_> = RESULTS.iter().map(|name| bench.path("out").join(name)).collect();
    assert!(names.iter().all(|name| before.contains_key(name)), "{:?}", before.keys());
    let second = bench.vnp(&["predict", &example(), "-o", "out", "--resume"]);
    second.expect(0, &["finished before", "nothing was done"]);
    assert_eq!(bench.everything("out"), before);
}

#[test]
fn every_row_of_the_tables_is_accounted_for() {
    let bench = Bench::new();
    bench.vnp(&["predict", &example(), "-o", "out"]).expect(0, &[]);
    let run = bench.json("out/run.json");
    let lines = |name: &str| {
        let text = std::fs::read_to_string(bench.path("out").join(name)).unwrap();
        (text.lines().count() - 1) as u64
    };
    assert_eq!(run["counts"]["records"], 5);
    assert_eq!(lines("sequences.tsv"), 5);
    assert_eq!(run["counts"]["rows"], lines("prediction_results.txt"));
    assert_eq!(run["counts"]["chunks_scored"], lines("prediction_results_highestscore.csv"));
    assert_eq!(run["session"]["rows_computed"]["scores"], run["counts"]["rows"]);
    for name in RESULTS.iter().filter(|name| **name != "run.json") {
        assert_eq!(run["results"][name]["rows"], lines(name));
    }
    let session = &run["session"];
    for key in ["load_model", "to_first_batch"] {
        assert!(session["seconds"][key].as_f64().unwrap() > 0.0, "{key}");
    }
    for encoder in ["nucleotide", "protein"] {
        assert!(session["tokens_per_second"][encoder].as_f64().unwrap() > 0.0, "{encoder}");
    }
    assert_eq!(session["devices"].as_array().unwrap().len(), 1);
    assert_eq!(run["model"]["name"], "mini");
    assert!(run["model"]["description"].as_str().unwrap().contains("not the published"));
}

#[test]
fn the_same_input_in_another_guise_gives_the_same_tables() {
    let bench = Bench::new();
    let fasta = Nucleotides::new(1).fasta(6, 700);
    bench.write("plain.fa", &fasta);
    let mut gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    std::io::Write::write_all(&mut gz, fasta.as_bytes()).unwrap();
    bench.write("small.bin", gz.finish().unwrap());
    let rna = fasta.lines().map(|line| match line.starts_with('>') {
        true => format!("{line}\r\n"),
        false => format!("{}\r\n", line.to_lowercase().replace('t', "u")),
    });
    bench.write("rna.fa", rna.collect::<String>());
    let fastq = fasta.replace(" made up", "").replace('>', "@");
    let mut lines = fastq.lines();
    let mut records = String::new();
    while let (Some(id), Some(sequence)) = (lines.next(), lines.next()) {
        records.push_str(&format!("{id}\n{sequence}\n+\n{}\n", "I".repeat(sequence.len())));
    }
    bench.write("reads.fq", records);
    bench.vnp(&["predict", "plain.fa"]).expect(0, &[]);
    let expected = bench.results("plain_predictions");
    bench.vnp(&["predict", "small.bin"]).expect(0, &[]);
    assert_eq!(bench.results("small_predictions"), expected);
    bench.vnp(&["predict", "rna.fa"]).expect(0, &[]);
    assert_eq!(bench.results("rna_predictions"), expected);
    bench.vnp(&["predict", "reads.fq", "-q"]).expect(0, &[]);
    assert_eq!(bench.results("reads_predictions"), expected);
    bench.vnp_with_stdin(&["predict", "-"], &bench.path("small.bin")).expect(0, &[]);
    assert_eq!(bench.results("stdin_predictions"), expected);
    // Nor does the identity depend on the format of the input.
    bench.vnp(&["predict", "reads.fq", "-o", "plain_predictions", "--resume"]).expect(0, &[]);
}

#[test]
fn several_inputs_are_one_after_the_other() {
    let bench = Bench::new();
    let (one, two) = (Nucleotides::new(1).fasta(2, 600), Nucleotides::new(2).fasta(2, 600));
    bench.write("one.fa", &one);
    bench.write("two.fa", &two);
    bench.write("both.fa", one + &two);
    bench.vnp(&["predict", "one.fa", "two.fa"]).expect(0, &[]);
    bench.vnp(&["predict", "both.fa"]).expect(0, &[]);
    // Both files hold records r0 and r1: equal names must not merge.
    let (mut several, one) = (bench.results("one_predictions"), bench.results("both_predictions"));
    if let Some(sequences) = several.get_mut("sequences.tsv") {
        // The names of the inputs are all that distinguishes them.
        let text = String::from_utf8(std::mem::take(sequences)).unwrap();
        let columns = ["\tone.fa\n", "\ttwo.fa\n", "\tinput\n"];
        *sequences = columns.iter().fold(text, |text, column| text.replace(column, "\n")).into();
    }
    assert_eq!(several, one);
    let consensus = &bench.results("both_predictions")["prediction_results_highestscore.csv"];
    let consensus = String::from_utf8(consensus.clone()).unwrap();
    assert_eq!(consensus.lines().filter(|line| line.starts_with("r0_chunk_1\t")).count(), 2);
}

#[test]
fn frames_and_embeddings_are_kept_when_asked() {
    let bench = Bench::new();
    bench.write("in.fa", Nucleotides::new(3).fasta(5, 600));
    bench.vnp(&["predict", "in.fa", "-o", "plain"]).expect(0, &[]);
    assert!(bench.parts("plain", "nucleotide").is_empty(), "embeddings outlived their scores");
    assert!(bench.parts("plain", "protein").is_empty());
    bench.vnp(&["predict", "in.fa", "-o", "kept", "--keep-embeddings", "-k"]).expect(0, &[]);
    assert_eq!(bench.parts("kept", "nucleotide").len(), 1);
    assert_eq!(bench.parts("kept", "protein").len(), 1);
    assert_eq!(bench.results("plain"), bench.results("kept"));
    let words = ["orfs", "in.fa", "-e", "500", "--nucleotide", "n.fa", "--protein", "p.faa"];
    bench.vnp(&words).expect(0, &[]);
    let read = |name: &str| std::fs::read(bench.path(name)).unwrap();
    assert_eq!(read("kept/identified_nucleotide.fa"), read("n.fa"));
    assert_eq!(read("kept/identified_protein.faa"), read("p.faa"));
    // Asking later computes the embeddings that were deleted, and only those.
    let later = bench.vnp(&["predict", "in.fa", "-o", "plain", "--resume", "--keep-embeddings"]);
    later.expect(0, &[]);
    assert_eq!(read_part(&bench, "plain"), read_part(&bench, "kept"));
    assert_eq!(bench.results("plain"), bench.results("kept"));
}

fn read_part(bench: &Bench, out: &str) -> Vec<Vec<f32>> {
    ["nucleotide", "protein"]
        .map(|stage| {
            let part = &bench.parts(out, stage)[0];
            let limits = vnp_ckpt::Limits::default();
            let part = vnp_ckpt::load_with_compatibility(part, &limits).unwrap();
            part.tensor("embedding").unwrap().to_f32_vec().unwrap()
        })
        .to_vec()
}

#[test]
fn flags_of_the_python_tools_are_accepted_and_said_to_do_nothing() {
    let bench = Bench::new();
    bench.write("in.fa", Nucleotides::new(4).fasta(1, 300));
    let words = ["predict", "in.fa", "--model-type", "mini", "--parallel", "--num-workers", "4"];
    bench.vnp(&words).expect(0, &["--parallel has no effect", "--num-workers has no effect"]);
}

#[test]
fn a_run_of_seconds_is_not_talked_about() {
    let bench = Bench::new();
    bench.write("in.fa", Nucleotides::new(4).fasta(2, 300));
    let quiet = bench.vnp(&["predict", "in.fa", "-o", "out"]);
    quiet.expect(0, &[]);
    for word in ["tokens", "FLOP", " left", "WARN"] {
        assert!(!quiet.stderr.contains(word), "{word}\n{}", quiet.stderr);
    }
    let words = ["predict", "in.fa", "-o", "out", "--force", "-v"];
    let verbose = bench.vnp(&words);
    verbose.expect(0, &["to compute: ", " nucleotide embeddings (", " tokens, ", "FLOP)"]);
    assert!(!verbose.stderr.contains("about"), "all rows are counted\n{}", verbose.stderr);
}

#[test]
fn a_device_that_cannot_do_what_is_asked_is_an_error_with_a_reason() {
    let bench = Bench::new();
    bench.write("in.fa", Nucleotides::new(4).fasta(1, 300));
    let f16 = bench.vnp(&["predict", "in.fa", "-o", "out", "-d", "cpu", "--precision", "f16"]);
    f16.expect(1, &["f16", "cpu"]);
    let f8 = bench.vnp(&["predict", "in.fa", "-o", "out", "--precision", "f8"]);
    f8.expect(1, &["f8", "f32", "bf16", "f16"]);
    if !cfg!(feature = "cuda") {
        for words in [["--gpus", "0,1"], ["--device", "cuda"]] {
            let words = ["predict", "in.fa", "-o", "out", words[0], words[1]];
            bench.vnp(&words).expect(1, &["CUDA"]);
        }
    }
    assert!(!bench.path("out").exists(), "nothing is left in the way of the next try");
}
