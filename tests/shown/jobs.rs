//! What earlier jobs, and other processes, left in a directory of a job.

use std::path::Path;

use vnp_ckpt::{Checkpoint, Limits, Value};

use super::{ID, MARK, argument, marked_directory, run};
use crate::support::{Bench, Nucleotides};

/// A finished run in a directory with a marked name, with a marked id; its parts are kept.
fn finished() -> Bench {
    let bench = Bench::new();
    let sequence = Nucleotides::new(4).sequence(1200);
    bench.write("in.fa", format!(">{ID}\n{sequence}\n"));
    let words = ["predict", "in.fa", "-o", MARK, "--keep-embeddings", "-v"];
    run(&bench, &words).expect(0, true);
    bench
}

/// Writes a checkpoint again with another metadata value, or another kind.
fn rewrite(path: &Path, kind: Option<&str>, key: &str, value: impl Fn(&Value) -> Value) {
    let old = vnp_ckpt::load_with_compatibility(path, &Limits::default()).unwrap();
    let mut new = Checkpoint::builder(kind.unwrap_or(old.kind()))
        .rows(old.rows())
        .created(old.created().to_owned())
        .producer(old.producer().clone());
    for (name, old) in old.metadata() {
        new = new.metadata(name, if name == key { value(old) } else { old.clone() });
    }
    let (ids, tensors) = old.into_parts();
    for (name, tensor) in tensors {
        new = new.tensor(name, tensor);
    }
    let new = new.ids(ids).build().unwrap();
    vnp_ckpt::atomic_save(path, &new).unwrap();
}

#[test]
fn parts_of_another_identity_or_kind_are_named_escaped() {
    let bench = finished();
    let again = ["predict", "in.fa", "-o", MARK, "--keep-embeddings", "--resume", "-v"];
    run(&bench, &again).expect(0, true);
    for part in bench.parts(MARK, "scores") {
        rewrite(&part, None, "identity", |identity| {
            let Value::Map(fields) = identity else { panic!("{identity:?}") };
            let fields = fields.keys().map(|name| (name.clone(), MARK.into()));
            Value::Map(fields.chain([(MARK.to_owned(), MARK.into())]).collect())
        });
    }
    run(&bench, &again).expect(3, true);
    for part in bench.parts(MARK, "nucleotide") {
        rewrite(&part, Some(MARK), "", Value::clone);
    }
    run(&bench, &again).expect(3, true);
    let forced = ["predict", "in.fa", "-o", MARK, "--keep-embeddings", "--force-resume", "-v"];
    run(&bench, &forced);
    run(&bench, &["validate-checkpoints", MARK]);
}

#[test]
fn the_record_of_an_earlier_run_is_not_trusted() {
    let bench = finished();
    let record = bench.path(MARK).join("run.json");
    let whole = std::fs::read_to_string(&record).unwrap();
    let marked = serde_json::json!(MARK).to_string();
    let spoiled = [
        whole.replace("\"complete\"", &marked),
        whole.replace("sequences.tsv", marked.trim_matches('"')),
        whole.replace(": 0,", &format!(": {marked},")),
        format!("{{{marked}: {marked}}}"),
        MARK.to_owned(),
    ];
    for text in spoiled {
        std::fs::write(&record, text).unwrap();
        run(&bench, &["predict", "in.fa", "-o", MARK, "--resume", "-v", "--keep-embeddings"]);
        run(&bench, &["predict", "in.fa", "-o", MARK]).expect(1, true);
    }
}

#[test]
fn the_holder_of_a_lock_is_named_escaped() {
    let bench = finished();
    let lock = bench.path(MARK).join("checkpoints/lock");
    std::fs::write(&lock, format!("process 1 on {MARK} since {MARK}\n{MARK}\n")).unwrap();
    let held = std::fs::File::options().read(true).write(true).open(&lock).unwrap();
    held.lock().unwrap();
    let ended = run(&bench, &["predict", "in.fa", "-o", MARK, "--resume"]);
    ended.expect(1, true);
    assert!(ended.stderr.contains("process 1 on m\\u{1b}[31mk"), "{}", ended.stderr);
}

#[test]
fn training_tables_and_names_are_escaped() {
    let bench = Bench::new();
    let directory = marked_directory(&bench);
    let write = |name: &str, text: String| {
        let path = directory.join(name);
        std::fs::write(&path, text).unwrap();
        argument(&bench, &path)
    };
    let mut nucleotides = Nucleotides::new(8);
    let mut fasta = |kind: &str| -> String {
        (0..6).map(|i| format!(">{kind}{i}{ID}\n{}\n", nucleotides.sequence(900))).collect()
    };
    let (virus, others) = (write("v.fa", fasta("v")), write("o.fa", fasta("o")));
    let rows =
        |cells: &str| (0..6).map(|i| format!("v{i}{ID}\t{cells}{i}\t{ID}\n")).collect::<String>();
    let groups = write("g.tsv", rows(&format!("group{ID}")));
    let learn = ["--epochs", "2", "--units", "4", "-v", "--name", MARK];
    let train = |out: &str, more: &[&str]| {
        let data = ["train", "--virus", &virus, "--others", &others, "-o", out];
        run(&bench, &[&data[..], &learn, more].concat())
    };
    train("t", &["--groups", &groups]).expect(0, true);
    train("t", &["--groups", &groups, "--resume"]).expect(0, true);
    run(&bench, &["models", "verify", "t/bundle"]).expect(0, true);
    let text = std::fs::read_to_string(bench.path("t/metrics.tsv")).unwrap();
    assert!(text.lines().all(|line| line.split('\t').count() == 8), "{text:?}");

    for bad in [
        format!("id\t{MARK}\n"),
        rows("g").replace('\t', " "),
        format!("v0{ID}\ta\nv0{ID}\tb\n"),
        format!("{ID}nowhere\ta\n"),
        MARK.to_owned(),
    ] {
        let table = write("bad.tsv", bad);
        train("u", &["--groups", &table, "--force"]);
        run(&bench, &["train", &virus, "--labels", &table, "-o", "w"]).expect(1, true);
    }
    let recipe = write("recipe.json", format!("{{{}: 1}}", serde_json::json!(MARK)));
    let data = ["train", "--virus", &virus, "--others", &others, "-o", "x"];
    let encoders = ["--encoders", "scratch", "--encoder-recipe", &recipe];
    run(&bench, &[&data[..], &encoders].concat()).expect(1, true);

    let prepared = bench.path("t/prepared/prepared.json");
    let whole = std::fs::read_to_string(&prepared).unwrap();
    let marked = serde_json::json!(MARK).to_string();
    for text in [whole.replace("v.fa", marked.trim_matches('"')), MARK.to_owned()] {
        std::fs::write(&prepared, text).unwrap();
        train("t", &["--groups", &groups, "--resume"]);
    }
}
