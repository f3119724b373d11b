//! A head of one's own: data in, bundle out, whatever happens in between.

use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use crate::support::{Bench, Nucleotides};

/// What every training here has in common: few epochs, and a state that is saved often.
const LEARN: [&str; 8] = [
    "--units",
    "16",
    "--learning-rate",
    "0.01",
    "--checkpoint-seconds",
    "0",
    "--checkpoint-rows",
    "64",
];

/// Ten viruses, rich in C and G, and ten others, rich in A; chunks of both have ORFs.
fn labelled() -> Bench {
    let bench = Bench::new();
    let mut nucleotides = Nucleotides::new(5);
    let mut fasta = |name: &str, swap: bool| -> String {
        let record = |i| {
            let sequence = nucleotides.sequence(2_400);
            // Every second C of the others becomes an A.
            let mut number = 0;
            let letter = |letter: char| {
                number += usize::from(letter == 'C');
                if swap && letter == 'C' && number % 2 == 0 { 'A' } else { letter }
            };
            format!(">{name}{i}\n{}\n", sequence.chars().map(letter).collect::<String>())
        };
        (0..10).map(record).collect()
    };
    let (virus, others) = (fasta("v", false), fasta("o", true));
    bench.write("virus.fa", virus);
    bench.write("others.fa", others);
    bench.write("kinds.tsv", "id\tgroup\tkind\nv0\ta\tphage\nv1\ta\tphage\no3\tb\tbacteria\n");
    bench
}

fn words<'a>(out: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    let data = ["train", "--virus", "virus.fa", "--others", "others.fa", "--groups", "kinds.tsv"];
    let epochs = if more.contains(&"--epochs") { &[][..] } else { &["--epochs", "6"][..] };
    data.iter().chain(&["-o", out]).chain(&LEARN).chain(epochs).chain(more).copied().collect()
}

fn head(bench: &Bench, out: &str) -> Vec<u8> {
    std::fs::read(bench.path(out).join("bundle/head.safetensors")).unwrap()
}

/// What a training publishes, but for paths and times there are none in it.
fn published(bench: &Bench, out: &str) -> Vec<(&'static str, Vec<u8>)> {
    let names = ["metrics.tsv", "metrics.json", "history.tsv", "bundle/head.safetensors"];
    let read = |name| (name, std::fs::read(bench.path(out).join(name)).unwrap());
    names.map(read).to_vec()
}

#[test]
fn the_same_seed_gives_the_same_head_and_its_bundle_predicts() {
    let bench = labelled();
    bench.vnp(&words("a", &["--name", "mine"])).expect(0, &["bundle mine for chunks of"]);
    bench.vnp(&words("b", &["-t", "1"])).expect(0, &[]);
    assert_eq!(published(&bench, "a"), published(&bench, "b"));
    bench.vnp(&words("c", &["--seed", "2"])).expect(0, &[]);
    assert_ne!(head(&bench, "a"), head(&bench, "c"));

    let record = bench.json("a/train.json");
    assert_eq!(record["bundle"]["name"], "mine");
    let metrics = bench.json("a/metrics.json");
    assert!(metrics.to_string().contains("auroc"), "{metrics}");
    bench
        .vnp(&["predict", "virus.fa", "-m", "a/bundle", "-o", "p"])
        .expect(0, &["model mine: the encoders of mini"]);
    let said = std::fs::read_to_string(bench.path("p/prediction_results.txt")).unwrap();
    let viral = said.lines().filter(|line| line.contains("\tvirus\t")).count();
    assert!(viral * 2 > said.lines().count(), "{viral} of {}", said.lines().count());
    // A finished training that is resumed is as it was.
    let before = bench.everything("a");
    bench.vnp(&words("a", &["--name", "mine", "--resume"])).expect(0, &[]);
    let after = bench.everything("a");
    let changed: Vec<_> = before
        .iter()
        .filter(|(path, bytes)| after.get(*path) != Some(*bytes))
        .map(|(path, _)| path)
        .collect();
    assert!(changed.is_empty(), "{changed:?}");
}

fn start(bench: &Bench, words: &[&str]) -> Child {
    let messages = std::fs::File::create(bench.path("messages.txt")).unwrap();
    bench.command(words).stdout(Stdio::null()).stderr(messages).spawn().unwrap()
}

/// Waits until the child says so or ends.
fn wait_for(bench: &Bench, child: &mut Child, text: &str) -> bool {
    let patience = Instant::now() + Duration::from_secs(120);
    while Instant::now() < patience {
        if std::fs::read_to_string(bench.path("messages.txt")).unwrap().contains(text) {
            return true;
        }
        if child.try_wait().unwrap().is_some() {
            return false;
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    panic!("the training never logged {text:?}");
}

#[test]
fn a_training_that_is_killed_ends_like_an_undisturbed_one() {
    let bench = labelled();
    bench.vnp(&words("undisturbed", &[])).expect(0, &[]);
    let resume = words("out", &["--resume", "-v"]);
    let mut kills = 0;
    // In preparing, in embedding, in learning, and a little later.
    for (text, more) in [
        ("", 20),
        ("viral and", 0),
        ("embedding the chunks of the class virus", 5),
        ("embedding the chunks of the class others", 30),
        ("learning", 0),
        ("epoch 1 of", 3),
        ("epoch 3 of", 7),
        ("epoch 4 of", 1),
    ] {
        let mut child = start(&bench, &resume);
        let said = wait_for(&bench, &mut child, text);
        std::thread::sleep(Duration::from_millis(more));
        child.kill().unwrap();
        kills += usize::from(said && !child.wait().unwrap().success());
    }
    assert!(kills >= 5, "only {kills} trainings were killed in the middle");
    bench.vnp(&resume).expect(0, &[]);
    assert_eq!(published(&bench, "out"), published(&bench, "undisturbed"));
}

#[test]
fn a_training_that_is_asked_to_stop_saves_and_says_so() {
    let bench = labelled();
    let mut child = start(&bench, &words("out", &["--epochs", "100", "--patience", "100"]));
    assert!(wait_for(&bench, &mut child, "epoch 1 of"));
    let status =
        std::process::Command::new("kill").args(["-TERM", &child.id().to_string()]).status();
    assert!(status.unwrap().success());
    assert_eq!(child.wait().unwrap().code(), Some(143));
    let messages = std::fs::read_to_string(bench.path("messages.txt")).unwrap();
    assert!(messages.contains("continue with --resume"), "{messages}");
    assert!(!bench.path("out/bundle").exists());
    let other = words("out", &["--resume"]);
    bench.vnp(&other).expect(3, &["epochs was 100, is now 6"]);
}

#[test]
fn another_training_is_not_continued() {
    let bench = labelled();
    bench.vnp(&words("out", &[])).expect(0, &[]);
    let before = bench.everything("out");
    bench.vnp(&words("out", &[])).expect(1, &["--resume", "--force"]);
    bench.vnp(&words("out", &["--resume", "--seed", "2"])).expect(3, &["seed was 1, is now 2"]);
    let dropout = words("out", &["--resume", "--dropout", "0.25"]);
    bench.vnp(&dropout).expect(3, &["dropout was 0.5, is now 0.25", "--force"]);
    bench.write("kinds.tsv", "v0\tb\n");
    bench.vnp(&words("out", &["--resume"])).expect(3, &["records was "]);
    assert_eq!(bench.everything("out"), before);
    // Data that cannot be learned from cost nothing.
    let before = bench.everything("out/bundle");
    let same = ["train", "--virus", "virus.fa", "--others", "virus.fa", "-o", "out", "--force"];
    bench.vnp(&same).expect(1, &["is given twice"]);
    assert_eq!(bench.everything("out/bundle"), before);
    bench.vnp(&words("out", &["--force", "--seed", "2"])).expect(0, &[]);
    assert_ne!(head(&bench, "out"), before[&bench.path("out/bundle/head.safetensors")]);
}

#[test]
fn a_damaged_state_is_quarantined_when_asked_for() {
    let bench = labelled();
    bench.vnp(&words("out", &[])).expect(0, &[]);
    let expected = published(&bench, "out");
    let state = bench.path("out/checkpoints/training.vnp");
    let mut bytes = std::fs::read(&state).unwrap();
    let at = bytes.len() / 2;
    bytes[at] ^= 1;
    std::fs::write(&state, &bytes).unwrap();
    bench.vnp(&words("out", &["--resume"])).expect(3, &["training.vnp", "--force-resume"]);
    assert_eq!(std::fs::read(&state).unwrap(), bytes);
    bench.vnp(&words("out", &["--force-resume"])).expect(0, &["quarantined"]);
    assert_eq!(published(&bench, "out"), expected);
}

#[test]
fn embeddings_that_are_there_are_learned_from() {
    let bench = labelled();
    for class in ["virus", "others"] {
        let input = format!("{class}.fa");
        let words = ["predict", &input, "-o", class, "--keep-embeddings"];
        bench.vnp(&words).expect(0, &[]);
    }
    let mut words =
        vec!["train", "--virus", "virus", "--others", "others", "-o", "out", "--epochs", "3"];
    words.extend(LEARN);
    bench.vnp(&words).expect(0, &["no --groups", "bundle out for chunks of"]);
    assert!(!bench.path("out/prepared").exists());
    // Their files are only read.
    words.extend(["--force", "--groups", "kinds.tsv"]);
    let before = [bench.everything("virus"), bench.everything("others")];
    bench.vnp(&words).expect(0, &[]);
    assert_eq!([bench.everything("virus"), bench.everything("others")], before);

    std::fs::remove_file(&bench.parts("virus", "protein")[0]).unwrap();
    bench.vnp(&words).expect(3, &["virus: ", "--keep-embeddings"]);
}

#[track_caller]
fn check(words: &[&str], said: &[&str]) {
    let bench = labelled();
    bench.write("protein.fa", ">p\nMKVLE\n");
    bench.write("labels.tsv", "id\tlabel\nv0\tvirus\nv1\tphage\n");
    bench.write("some.tsv", "v0\tvirus\n");
    std::fs::create_dir(bench.path("other")).unwrap();
    bench.write("other/file", "");
    let all: Vec<&str> = ["train", "-o", "out"].iter().chain(words).copied().collect();
    bench.vnp(&all).expect(1, said);
    assert!(!bench.path("out").exists(), "{words:?}");
}

#[test]
fn what_cannot_be_learned_from_is_named() {
    check(&[], &["--virus and --others"]);
    check(&["--virus", "none.fa"], &["none.fa"]);
    check(&["--virus", "virus.fa"], &["no records of the class others", "--others"]);
    check(&["--virus", "virus.fa", "--others", "virus.fa"], &["record v0 is given twice"]);
    check(&["--virus", "virus.fa", "--others", "protein.fa"], &["protein.fa", "record p"]);
    check(&["virus.fa"], &["without a label", "--labels"]);
    check(&["virus.fa", "--labels", "labels.tsv"], &["labels.tsv, line 3", "virus (viral, 1)"]);
    check(&["virus.fa", "--labels", "some.tsv"], &["virus.fa: record v1 has no label"]);
    check(&["--virus", "virus.fa", "other", "--others", "others.fa"], &["one or the other"]);
    let both = ["--virus", "virus.fa", "--others", "others.fa"];
    let with = |more: &[&'static str]| -> Vec<&str> { both.iter().chain(more).copied().collect() };
    check(&with(&["--test-share", "1"]), &["test share is 1"]);
    check(&with(&["--hosts-per-virus", "0"]), &["hosts per virus is 0"]);
    check(&with(&["--dropout", "1"]), &["dropout"]);
    check(&with(&["--units", "10000000000"]), &["units", "1 to 65536"]);
    check(&["--virus", "-", "--others", "others.fa"], &["standard input", "to a file first"]);
    check(&["--virus", "/dev/null", "--others", "others.fa"], &["/dev/null is neither a file"]);
    check(&with(&["-m", "nowhere"]), &["nowhere"]);
}

#[test]
fn directories_of_others_are_left_alone() {
    let bench = labelled();
    bench.vnp(&["predict", "virus.fa", "-o", "run"]).expect(0, &[]);
    std::fs::create_dir(bench.path("mine")).unwrap();
    bench.write("mine/notes.txt", "");
    for (out, said) in [("run", "vnp predict"), ("mine", "no vnp train")] {
        let before = bench.everything(out);
        for flag in ["--resume", "--force"] {
            bench.vnp(&words(out, &[flag])).expect(1, &[said, "another directory"]);
        }
        assert_eq!(bench.everything(out), before);
    }
}

/// A GenBank record of a made-up sequence, with one coding sequence over all of it.
fn genbank(id: &str, sequence: &str) -> String {
    let protein: String = vnp_seq::find_orfs(sequence.as_bytes())
        .into_iter()
        .find(|open| open.frame == vnp_seq::Frame::F1)
        .map_or_else(|| "M".to_owned(), |open| open.protein);
    let length = sequence.len();
    format!(
        "LOCUS       {id:<16} {length:>11} bp    DNA     linear   BCT 01-JAN-2020\n\
         ACCESSION   {id}\nVERSION     {id}.1\nFEATURES             Location/Qualifiers\n     \
         CDS             1..{length}\n                     /translation=\"{protein}\"\nORIGIN\n        \
         1 {}\n//\n",
        sequence.to_lowercase()
    )
}

#[test]
fn genbank_frames_are_those_of_coding_sequences() {
    let bench = labelled();
    let mut nucleotides = Nucleotides::new(9);
    // Without T there is no stop codon: every frame is open.
    let mut sequence = || nucleotides.sequence(900).replace('T', "A");
    let records: String = (0..4).map(|i| genbank(&format!("G{i}"), &sequence())).collect();
    bench.write("others.gb", records);
    let mut words = vec!["train", "--virus", "virus.fa", "--others", "others.gb", "-o", "out"];
    words.extend(["-e", "300", "--epochs", "2"]);
    words.extend(LEARN);
    bench.vnp(&words).expect(0, &["others: 4 records in 4 groups"]);
    let chunks = std::fs::read_to_string(bench.path("out/prepared/chunks.tsv")).unwrap();
    let frames: Vec<&str> = chunks
        .lines()
        .filter(|line| line.starts_with('G'))
        .map(|line| line.rsplit('\t').next().unwrap())
        .collect();
    assert!(!frames.is_empty() && frames.iter().all(|frames| *frames == "F1"), "{frames:?}");
    words.extend(["--force", "--no-cds-filter"]);
    bench.vnp(&words).expect(0, &[]);
    let all = std::fs::read_to_string(bench.path("out/prepared/chunks.tsv")).unwrap();
    assert!(all.contains("F1,F2"), "{all}");
}
