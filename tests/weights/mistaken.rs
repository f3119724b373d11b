//! Files and models that are something else than what was asked for, or damaged: each is named as what it is.

use vnp_forge::items::{dict, texts};

use crate::heads::{Head, four};
use crate::import::Import;
use crate::support::{Bench, root};

#[test]
fn files_that_are_something_else_are_named() {
    let bench = Bench::new();
    let check = |import: Import, messages: &[&str]| {
        import.run(&bench, "tiny").expect(1, messages);
        assert!(!bench.path("tiny").exists());
    };
    let pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 9\n";
    let head = bench.write("300_model.pth", pointer);
    check(Import { head, ..Import::new() }, &["300_model.pth", "git lfs pull"]);
    let tokenizer = bench.write("tokenizer.json", pointer);
    check(Import { tokenizer, ..Import::new() }, &["tokenizer.json", "git lfs pull"]);
    let tokenizer = bench.write("tokenizer.json", "<html><body>404</body></html>");
    check(Import { tokenizer, ..Import::new() }, &["tokenizer.json is a web page"]);
    let head = bench.write("h.pth", "");
    check(Import { head, ..Import::new() }, &["h.pth is an empty file"]);
    let head = root().join("tests/fixtures/torch");
    check(Import { head, ..Import::new() }, &["torch is a directory, not a file"]);
    let esm2 = root().join("tests/fixtures/parity/cases.json");
    check(Import { esm2, ..Import::new() }, &["cases.json is a JSON file without a weight_map"]);
    let dnabert = root().join("tests/fixtures/parity");
    check(
        Import { dnabert, ..Import::new() },
        &["such files are in", "parity/dnabert", "parity/esm2, give the right one"],
    );
    #[cfg(unix)]
    {
        let head = bench.path("link.pth");
        std::os::unix::fs::symlink("nowhere.pth", &head).unwrap();
        check(
            Import { head, ..Import::new() },
            &["link.pth is a link to nowhere.pth, which does not exist"],
        );
        let inspect = ["checkpoint", "inspect", "link.pth"];
        bench.vnp(&inspect).expect(1, &["it is a link to nowhere.pth, which does not exist"]);
        let predict = ["predict", "300_model.pth", "-m", "link.pth", "-o", "out"];
        bench.vnp(&predict).expect(1, &["is a link to nowhere.pth, which does not exist"]);
    }
    bench.vnp(&["checkpoint", "inspect", "300_model.pth"]).expect(3, &["git lfs pull"]);
    let model = |name: &str, messages: &[&str]| {
        bench.vnp(&["predict", "300_model.pth", "-m", name, "-o", "out"]).expect(1, messages);
    };
    Import::new().run(&bench, "models/tiny").expect(0, &[]);
    model(
        "./models",
        &["./models is not a model: it has no bundle.json", "models/tiny, give that"],
    );
    model("./models/tiny/esm2", &["is not a model", "models/tiny, give that"]);
    model("./models/tiny/bundle.json", &["is a file, not the directory of a model"]);
}

/// A model that cannot be read is neither passed over by `models verify` nor by `models list`.
#[test]
fn models_that_cannot_be_read_are_named() {
    let bench = Bench::new();
    Import::new().run(&bench, "models/good").expect(0, &[]);
    let run = |words: &[&str], models: &str| {
        let mut command = bench.command(words);
        let output = command.env("VNP_MODELS", bench.path(models)).output().unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        (output.status.code(), text(&output.stdout), text(&output.stderr))
    };
    let (code, _, log) = run(&["models", "verify"], "models");
    assert_eq!(code, Some(0), "{log}");
    let whole = std::fs::read_to_string(bench.path("models/good/bundle.json")).unwrap();
    let pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 9\n";
    std::fs::create_dir(bench.path("models/bad")).unwrap();
    for (manifest, reason) in [
        (&whole[..whole.len() / 2], "not the JSON expected"),
        (pointer, "git lfs pull"),
        ("", "an empty file"),
        ("<html>404</html>", "a web page"),
        ("{\"format\": 2}", "upgrade vnp"),
    ] {
        bench.write("models/bad/bundle.json", manifest);
        let (code, table, log) = run(&["models", "verify"], "models");
        assert_eq!(code, Some(1), "{table}{log}");
        assert!(table.contains("bad: BAD") && table.contains("good: OK"), "{table}");
        assert!(log.contains(reason), "{log}");
        let (code, table, log) = run(&["models", "list"], "models");
        assert_eq!(code, Some(0), "{log}");
        let line = table.lines().find(|line| line.starts_with("bad ")).unwrap();
        assert!(line.ends_with("bad: cannot be read"), "{line}");
        assert!(log.contains(reason), "{log}");
    }
    bench.write("file", "x");
    for models in ["file", "nowhere"] {
        let (code, _, log) = run(&["models", "list"], models);
        assert_eq!(code, Some(0), "{log}");
        let said = format!("{models} cannot be searched for models");
        assert_eq!(log.matches(&said).count(), 1, "{log}");
    }
}

/// A part of a model in place of another is named, with the option that it belongs to.
#[test]
fn parts_in_place_of_others_are_named() {
    let bench = Bench::new();
    let check = |import: Import, message: &str| {
        import.run(&bench, "tiny").expect(1, &[message]);
        assert!(!bench.path("tiny").exists());
    };
    let Import { esm2, dnabert, head, .. } = Import::new();
    check(
        Import { esm2: head.clone(), ..Import::new() },
        "head.pth is a head, not an ESM-2 encoder: give it as --head",
    );
    check(
        Import { dnabert: head.clone(), ..Import::new() },
        "is a head, not a DNABERT encoder: give it as --head",
    );
    check(
        Import { head: esm2.clone(), ..Import::new() },
        "esm2_tiny.pt is an ESM-2 encoder, not a head: give it as --esm2",
    );
    check(
        Import { dnabert: esm2, ..Import::new() },
        "is an ESM-2 encoder, not a DNABERT encoder: give it as --esm2",
    );
    check(
        Import { esm2: dnabert, ..Import::new() },
        "is a DNABERT encoder, not an ESM-2 encoder: give it as --dnabert",
    );
    let embeddings = dict(&[("ids", texts(&["a", "b", "c", "d"])), ("data", four())]);
    let file = Head::new().file(&bench, "e.pt", &embeddings);
    check(
        Import { head: file, ..Import::new() },
        "e.pt is a checkpoint of kind merged, not a head: give a file of weights",
    );
    bench.write("reads.fa", ">a\nACGT\n");
    let predict = ["predict", "reads.fa", "-m", "500", "-o", "out"];
    bench.vnp(&predict).expect(1, &["no model 500", "vnp models import"]);
}

/// Weights cannot be computed again.
#[test]
fn damaged_weights_are_downloaded_again() {
    let bench = Bench::new();
    let whole = std::fs::read(root().join("tests/fixtures/torch/head.pth")).unwrap();
    let check = |bytes: &[u8], messages: &[&str]| {
        let head = bench.write("h.pth", bytes);
        let ended = Import { head, ..Import::new() }.run(&bench, "tiny");
        ended.expect(1, messages);
        assert!(!ended.stderr.contains("compute it again"), "{}", ended.stderr);
    };
    for length in [100, whole.len() / 2, whole.len() - 1] {
        check(&whole[..length], &["h.pth is damaged", "download"]);
    }
    let mut flipped = whole.clone();
    let place = whole.len() / 2;
    flipped[place] ^= 1;
    check(&flipped, &["h.pth", "download"]);
}
