//! Chunks without an ORF, scored by their nucleotides alone.

use std::process::Stdio;
use std::time::{Duration, Instant};

use vnp_infer::{Bundle, BundleWriter, Tensors};

use crate::import::Import;
use crate::support::{Bench, Nucleotides, RESULTS};

/// Stops in all six frames.
const STOPS: &str = "TTAATTAATTAA";

/// A fallback head of this many features, not trained.
fn fallback(features: usize) -> Tensors {
    let units = 4;
    let mut tensors = Tensors::default();
    let weight = |at: usize| ((at * 7919 % 101) as f32 - 50.0) / 40.0;
    let weights = |count: usize| (0..count).map(weight).collect::<Vec<_>>();
    tensors.insert_f32("hidden_layer.weight", &[units, features], &weights(units * features));
    tensors.insert_f32("output_layer.weight", &[2, units], &weights(2 * units));
    for name in ["hidden_layer.bias", "bn1.bias", "bn1.running_mean"] {
        tensors.insert_f32(name, &[units], &[0.0; 4]);
    }
    for name in ["bn1.weight", "bn1.running_var"] {
        tensors.insert_f32(name, &[units], &[1.0; 4]);
    }
    tensors.insert_f32("output_layer.bias", &[2], &[0.0, 0.0]);
    tensors
}

/// The encoders and the head of `mini`, with a fallback head of the test's.
fn bundle(bench: &Bench) {
    let mini = Bundle::embedded().unwrap();
    let features = mini.nucleotide_hidden_size();
    let writer = BundleWriter::of(&mini).with_fallback(fallback(features)).unwrap();
    writer.write(&bench.path("bundle")).unwrap();
}

/// This many records with and without an ORF, and one of chunks with, without and with an ORF.
fn input(bench: &Bench, open: usize, closed: usize) {
    let mut random = Nucleotides::new(21);
    let mut fasta = String::new();
    for i in 0..open.max(closed) {
        if i < open {
            fasta.push_str(&format!(">o{i}\n{}\n", random.sequence(600)));
        }
        if i < closed {
            fasta.push_str(&format!(">c{i}\n{STOPS}{}\n", random.sequence(300 + i)));
        }
    }
    let stops = &STOPS.repeat(42)[..500];
    fasta.push_str(&format!(">m\n{0}{stops}{0}\n", "GCCGA".repeat(100)));
    bench.write("in.fa", fasta);
}

/// A run in the bundle, with more words.
fn predict<'w>(out: &'w str, more: &[&'w str]) -> Vec<&'w str> {
    [&["predict", "in.fa", "-m", "./bundle", "-o", out], more].concat()
}

fn table(bench: &Bench, name: &str) -> String {
    std::fs::read_to_string(bench.path(name)).unwrap()
}

#[test]
fn without_the_flag_nothing_is_new() {
    let bench = Bench::new();
    bundle(&bench);
    input(&bench, 3, 3);
    bench.vnp(&["predict", "in.fa", "-o", "mini"]).expect(0, &[]);
    bench
        .vnp(&predict("plain", &[]))
        .expect(0, &[" have no ORF (stop-free reading frame) and got no score"]);
    assert_eq!(bench.results("plain"), bench.results("mini"));
    let names = |out: &str| -> Vec<_> {
        let root = bench.path(out);
        let files = bench.everything(out);
        files.keys().map(|path| path.strip_prefix(&root).unwrap().to_owned()).collect()
    };
    assert_eq!(names("plain"), names("mini"));
    assert!(!bench.path("plain/checkpoints/dna_only").exists());
    let record = table(&bench, "plain/run.json");
    for word in ["fallback", "score_all", "dna_only"] {
        assert!(!record.contains(word), "{word} in {record}");
    }
}

#[test]
fn every_chunk_gets_a_score_and_says_what_it_rests_on() {
    let bench = Bench::new();
    bundle(&bench);
    input(&bench, 3, 3);
    bench.vnp(&predict("plain", &[])).expect(0, &[]);
    bench.vnp(&predict("all", &["--score-all"])).expect(
        0,
        &[
            "4 chunks without an ORF scored by nucleotides alone, 0 of them in an earlier session",
            "3 records without an ORF scored by nucleotides alone (evidence dna_only)",
        ],
    );
    let (plain, all) = (bench.results("plain"), bench.results("all"));
    for name in &RESULTS[..2] {
        assert!(plain[*name] == all[*name], "{name}");
    }
    let rows = |out: &str| -> Vec<Vec<String>> {
        let text = table(&bench, &format!("{out}/sequences.tsv"));
        text.lines().map(|line| line.split('\t').map(str::to_owned).collect()).collect()
    };
    for (mut new, old) in rows("all").into_iter().zip(rows("plain")) {
        let evidence = new.remove(10);
        match new[0].chars().next() {
            Some('s') => assert_eq!((evidence.as_str(), new), ("evidence", old)),
            Some('c') => {
                assert_eq!((evidence.as_str(), new[9].as_str()), ("dna_only", "scored"));
                let score: f64 = new[6].parse().unwrap();
                assert_eq!(new[7], if score >= 0.5 { "True" } else { "False" });
                assert_eq!(new[8].is_empty(), new[5] == "0");
            }
            _ => assert_eq!((evidence.as_str(), new), ("frames", old)),
        }
    }
    let chunks = table(&bench, "all/chunks.tsv");
    let of_m: Vec<Vec<&str>> = chunks
        .lines()
        .map(|line| line.split('\t').collect::<Vec<_>>())
        .filter(|row| row[0] == "m")
        .collect();
    let places: Vec<_> = of_m.iter().map(|row| (row[1], row[2], row[3], row[6])).collect();
    assert_eq!(
        places,
        [
            ("1", "1", "500", "frames"),
            ("2", "501", "1000", "dna_only"),
            ("3", "1001", "1500", "frames"),
        ]
    );
    let record = bench.json("all/run.json");
    assert_eq!(record["settings"]["score_all"], true);
    assert_eq!(record["counts"]["dna_only"]["records_scored"], 3);
    let lines = chunks.lines().count() as u64 - 1;
    assert_eq!(record["results"]["chunks.tsv"]["rows"], lines);
    assert_eq!(record["counts"]["chunks"], lines, "every chunk has a row");
    assert_eq!(bench.json("all/summary.json")["dna_only"]["chunks"], 4);
    let digest = &bench.json("bundle/bundle.json")["digests"]["fallback"];
    assert_eq!(&record["identity"]["fallback"], digest);
}

#[test]
fn threads_and_windows_change_no_byte() {
    let bench = Bench::new();
    bundle(&bench);
    input(&bench, 4, 20);
    let read = |out: &str| {
        let mut results = bench.results(out);
        let chunks = std::fs::read(bench.path(out).join("chunks.tsv")).unwrap();
        results.insert("chunks.tsv".to_owned(), chunks);
        results
    };
    bench.vnp(&predict("out", &["--score-all"])).expect(0, &[]);
    let expected = read("out");
    let more = ["--score-all", "--threads", "1", "--checkpoint-rows", "3", "--keep-embeddings"];
    bench.vnp(&predict("other", &more)).expect(0, &[]);
    assert_eq!(read("other"), expected);
    assert_eq!(bench.parts("other", "dna_only").len(), 7);
    // Batches of a device are none of its business either.
    let more =
        ["--score-all", "--dnabert-batch-size", "64", "-b", "2", "--checkpoint-seconds", "0"];
    bench.vnp(&predict("third", &more)).expect(0, &[]);
    assert_eq!(read("third"), expected);
}

#[test]
fn a_bundle_without_a_fallback_head_says_what_to_do_before_any_work() {
    let bench = Bench::new();
    bench.write("in.fa", Nucleotides::new(1).fasta(1, 300));
    Import::new().run(&bench, "tiny").expect(0, &[]);
    let words = ["predict", "in.fa", "-m", "./tiny", "-o", "out", "--score-all"];
    let refused = bench.vnp(&words);
    refused
        .expect(1, &["model tiny has no nucleotide-only head", "leave out --score-all", "bundle"]);
    assert!(!refused.stderr.contains("records"), "it read the input first: {}", refused.stderr);
    assert!(!bench.path("out").exists());
    bench.vnp(&words[..6]).expect(0, &[]);
    bench.vnp(&[&words[..], &["--resume"]].concat()).expect(1, &["no nucleotide-only head"]);
}

#[test]
fn a_fallback_head_is_imported_and_listed() {
    let bench = Bench::new();
    bundle(&bench);
    let embedded = Bundle::embedded().unwrap();
    let features = embedded.nucleotide_hidden_size() + embedded.protein_hidden_size();
    let import = Import::new();
    // A head over both embeddings.
    let wide = bench.path("bundle/head.safetensors").to_str().unwrap().to_owned();
    let refused = import.run_with(&bench, "models/wide", &["--fallback", &wide]);
    refused.expect(1, &[&format!("takes {features} features, but the nucleotide encoder gives ")]);
    assert!(!bench.path("models/wide").exists());
    import.run(&bench, "models/plain").expect(0, &[]);
    std::fs::rename(bench.path("bundle"), bench.path("models/other")).unwrap();
    let mut command = bench.command(&["models", "list"]);
    let output = command.env("VNP_MODELS", bench.path("models")).output().unwrap();
    let listed = String::from_utf8(output.stdout).unwrap();
    let listed_as = |name: &str| {
        let line = listed.lines().find(|line| line.starts_with(name)).unwrap();
        line.split_whitespace().nth(3).unwrap().to_owned()
    };
    assert_eq!([listed_as("other"), listed_as("plain")], ["yes", "no"], "{listed}");
    bench.vnp(&["models", "verify", "./models/other"]).expect(0, &[]);
    let head = bench.path("models/other/fallback.safetensors");
    let mut bytes = std::fs::read(&head).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    std::fs::write(&head, bytes).unwrap();
    let verified = bench.vnp(&["models", "verify", "./models/other"]);
    verified.expect(1, &["fallback.safetensors", "is not the"]);
}

#[test]
fn a_finished_run_takes_the_flag_and_gives_it_back() {
    let bench = Bench::new();
    bundle(&bench);
    input(&bench, 3, 5);
    bench.vnp(&predict("once", &["--score-all"])).expect(0, &[]);
    bench.vnp(&predict("out", &[])).expect(0, &[]);
    let plain = bench.results("out");
    let more = ["--resume", "--score-all"];
    bench.vnp(&predict("out", &more)).expect(0, &["6 chunks without an ORF"]);
    let computed = &bench.json("out/run.json")["session"]["rows_computed"];
    assert_eq!((&computed["scores"], &computed["dna_only"]), (&0.into(), &6.into()));
    assert_eq!(bench.results("out"), bench.results("once"));
    assert_eq!(table(&bench, "out/chunks.tsv"), table(&bench, "once/chunks.tsv"));
    bench.vnp(&predict("out", &more)).expect(0, &["nothing was done"]);
    bench.vnp(&predict("out", &["--resume"])).expect(0, &["scored, "]);
    assert_eq!(bench.results("out"), plain);
    assert_eq!(bench.parts("out", "dna_only").len(), 1);
    bench.vnp(&predict("out", &more)).expect(0, &["6 of them in an earlier session"]);
    assert_eq!(bench.results("out"), bench.results("once"));
}

#[test]
fn damaged_parts_are_found_named_and_computed_again() {
    let bench = Bench::new();
    bundle(&bench);
    input(&bench, 2, 40);
    let words = ["--score-all", "--checkpoint-rows", "16"];
    bench.vnp(&predict("out", &words)).expect(0, &[]);
    let (expected, chunks) = (bench.results("out"), table(&bench, "out/chunks.tsv"));
    let parts = bench.parts("out", "dna_only");
    assert_eq!(parts.len(), 3);
    let validate = ["validate-checkpoints", "out"];
    let good = bench.vnp(&validate);
    assert!(good.expect(0, &[]).stdout.contains("checkpoints/dna_only/rows-"), "{}", good.stdout);
    let inspected = bench.vnp(&["checkpoint", "inspect", parts[1].to_str().unwrap()]);
    for text in ["dna_only", "16..32", "scores", "fallback"] {
        assert!(inspected.expect(0, &[]).stdout.contains(text), "{}", inspected.stdout);
    }
    let mut bytes = std::fs::read(&parts[1]).unwrap();
    let at = bytes.len() - 70;
    bytes[at] ^= 0x10;
    std::fs::write(&parts[1], bytes).unwrap();
    let bad = bench.vnp(&validate);
    assert!(bad.expect(3, &[]).stdout.contains("CORRUPTED"), "{}", bad.stdout);
    std::fs::remove_file(bench.path("out/run.json")).unwrap();
    let resume = bench.vnp(&predict("out", &[&words[..], &["--resume"]].concat()));
    resume.expect(3, &["dna_only/rows-000000000016-000000000032.vnp", "--force-resume"]);
    let again = bench.vnp(&predict("out", &[&words[..], &["--force-resume"]].concat()));
    again.expect(0, &["quarantined"]);
    let computed = &bench.json("out/run.json")["session"]["rows_computed"];
    assert_eq!((&computed["scores"], &computed["dna_only"]), (&0.into(), &16.into()));
    assert_eq!(bench.results("out"), expected);
    assert_eq!(table(&bench, "out/chunks.tsv"), chunks);
}

/// Kills runs while they compute the chunks without an ORF, and resumes each time.
#[test]
fn killed_runs_end_like_undisturbed_ones() {
    let bench = Bench::new();
    bundle(&bench);
    input(&bench, 2, 150);
    bench.vnp(&predict("undisturbed", &["--score-all"])).expect(0, &[]);
    let more = ["--score-all", "--checkpoint-rows", "16", "--resume", "-v"];
    let words = predict("out", &more);
    let mut kills = 0;
    for _ in 0..4 {
        let before = bench.parts("out", "dna_only").len();
        let mut child =
            bench.command(&words).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let patience = Instant::now() + Duration::from_secs(120);
        while child.try_wait().unwrap().is_none() && bench.parts("out", "dna_only").len() <= before
        {
            assert!(Instant::now() < patience, "no part was saved in two minutes");
            std::thread::sleep(Duration::from_millis(1));
        }
        child.kill().unwrap();
        kills += u64::from(!child.wait().unwrap().success());
        for part in bench.parts("out", "dna_only") {
            let limits = vnp_ckpt::Limits::default();
            vnp_ckpt::load_with_compatibility(&part, &limits).unwrap();
        }
    }
    assert!(kills >= 2, "only {kills} runs were killed in the middle");
    bench.vnp(&words).expect(0, &[]);
    assert_eq!(bench.results("out"), bench.results("undisturbed"));
    assert_eq!(table(&bench, "out/chunks.tsv"), table(&bench, "undisturbed/chunks.tsv"));
    let scored_before =
        151 - bench.json("out/run.json")["session"]["rows_computed"]["dna_only"].as_u64().unwrap();
    assert!(scored_before >= 16 * kills, "{scored_before} rows outlived {kills} kills");
}
