//! Bundles and published weights with the mark in every field.

use std::path::Path;

use super::{MARK, argument, marked_directory, run};
use crate::import::Import;
use crate::support::{Bench, copy_directory, root};

/// The JSON with the mark in place of each value in turn, and as a further field.
fn marked_values(json: &serde_json::Value) -> Vec<serde_json::Value> {
    let mut pointers = Vec::new();
    collect(json, String::new(), &mut pointers);
    let replaced = pointers.iter().map(|pointer| {
        let mut json = json.clone();
        *json.pointer_mut(pointer).unwrap() = MARK.into();
        json
    });
    let mut further = json.clone();
    further[MARK] = MARK.into();
    replaced.chain([further, serde_json::json!({ MARK: MARK }), MARK.into()]).collect()
}

fn collect(json: &serde_json::Value, at: String, pointers: &mut Vec<String>) {
    match json {
        serde_json::Value::Object(fields) => {
            fields.iter().for_each(|(key, value)| collect(value, format!("{at}/{key}"), pointers));
        }
        serde_json::Value::Array(values) => {
            if let Some(value) = values.first() {
                collect(value, format!("{at}/0"), pointers);
            }
        }
        _ => pointers.push(at),
    }
}

#[test]
fn bundles_are_listed_and_refused_escaped() {
    let bench = Bench::new();
    bench.write("in.fa", ">a\nGCCGCCGCCGCC\n");
    let models = bench.path("data-home/vnp/models");
    std::fs::create_dir_all(&models).unwrap();
    let bundle = models.join(MARK);
    let out = argument(&bench, &bundle);
    let import = Import::new().run_with(&bench, &out, &["--name", MARK]);
    import.expect(0, &["model m\\u{1b}[31mk"]);
    assert!(import.stderr.chars().all(|c| c == '\n' || vnp_escape::is_plain(c)));
    run(&bench, &["models", "list"]).expect(0, true);
    run(&bench, &["models", "verify"]).expect(0, true);
    let predict = ["predict", "in.fa", "-m", &out, "-o", "out", "--force", "-v"];
    run(&bench, &predict).expect(0, true);

    let manifest = bundle.join("bundle.json");
    let whole = std::fs::read(&manifest).unwrap();
    for json in marked_values(&serde_json::from_slice(&whole).unwrap()) {
        std::fs::write(&manifest, json.to_string()).unwrap();
        let list = run(&bench, &["models", "list"]);
        list.expect(0, true);
        assert_eq!(list.stdout.lines().count(), 3, "{}", list.stdout);
        run(&bench, &["models", "verify"]);
        run(&bench, &predict);
    }
    std::fs::write(&manifest, &whole).unwrap();
    let files = ["esm2/config.json", "dnabert/config.json", "dnabert/tokenizer.json"];
    for path in files.map(|file| bundle.join(file)) {
        let whole = std::fs::read(&path).unwrap();
        let mut json: serde_json::Value = serde_json::from_slice(&whole).unwrap();
        json[MARK] = MARK.into();
        for text in [json.to_string(), MARK.to_owned(), serde_json::json!(MARK).to_string()] {
            std::fs::write(&path, text).unwrap();
            run(&bench, &["models", "verify"]);
            run(&bench, &predict);
        }
        std::fs::write(&path, &whole).unwrap();
    }
}

#[test]
fn published_weights_are_refused_escaped() {
    let bench = Bench::new();
    let directory = marked_directory(&bench);
    let copy = directory.join("esm2");
    copy_directory(&root().join("tests/fixtures/parity/esm2"), &copy);
    let import = |esm2: &Path| {
        let import = Import { esm2: esm2.to_owned(), ..Import::new() };
        let ended = import.run(&bench, "m");
        let bad = ended.stderr.chars().find(|&c| c != '\n' && !vnp_escape::is_plain(c));
        assert!(bad.is_none(), "{bad:?}: {:?}", ended.stderr);
        assert!(ended.stderr.lines().all(super::is_message), "{}", ended.stderr);
        std::fs::remove_dir_all(bench.path("m")).ok();
        ended
    };
    let config = copy.join("config.json");
    let whole = std::fs::read(&config).unwrap();
    for json in marked_values(&serde_json::from_slice(&whole).unwrap()) {
        std::fs::write(&config, json.to_string()).unwrap();
        import(&copy);
    }
    // An index that names shards elsewhere, and tensors that are not there.
    let shards = directory.join("shards");
    std::fs::create_dir(&shards).unwrap();
    std::fs::write(shards.join("config.json"), &whole).unwrap();
    for file in [MARK.to_owned(), format!("../{MARK}"), "config.json".to_owned()] {
        let index = serde_json::json!({ "weight_map": { MARK: file } }).to_string();
        std::fs::write(shards.join("model.safetensors.index.json"), index).unwrap();
        import(&shards).expect(1, &["m\\u{1b}[31mk"]);
    }
}
