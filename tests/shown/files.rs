//! Checkpoints, weights and logs of failures with the mark in every field.

use std::collections::BTreeMap;
use std::path::Path;

use vnp_ckpt::{Checkpoint, Format, Producer, RowRange, Tensor, Value};
use vnp_forge::items::{archive, call, dict, legacy, list, pickle, tensor, text, zip};
use vnp_forge::native;

use super::{MARK, argument, marked_directory, run};
use crate::support::Bench;

/// A checkpoint with the mark in everything that a builder takes.
fn marked() -> Checkpoint {
    let values = || Tensor::from_f32([2, 1], vec![1.0, f32::NAN]).unwrap();
    let nested = BTreeMap::from([(MARK.to_owned(), Value::List(vec![MARK.into()]))]);
    Checkpoint::builder(MARK)
        .rows(RowRange::new(0, 2))
        .ids(vec![MARK.to_owned(), format!("{MARK}2")])
        .tensor(MARK, values())
        .free_tensor(format!("{MARK}2"), values())
        .metadata(MARK, MARK)
        .metadata("nested", Value::Map(nested))
        .unknown(MARK, MARK)
        .producer(Producer { name: MARK.to_owned(), version: MARK.to_owned() })
        .build()
        .unwrap()
}

fn safetensors(header: &serde_json::Value, data: &[u8]) -> Vec<u8> {
    let header = header.to_string();
    [&(header.len() as u64).to_le_bytes(), header.as_bytes(), data].concat()
}

type Spoil = fn(&mut native::Parts);

/// Files of every format, whole and damaged, by their names.
fn all(directory: &Path) {
    let write = |name: &str, bytes: Vec<u8>| std::fs::write(directory.join(name), bytes).unwrap();
    for format in Format::ALL {
        let path = directory.join(format!("{MARK}.{}", format.extension()));
        format.save(&path, &marked()).unwrap();
        let whole = std::fs::read(&path).unwrap();
        write(&format!("cut.{}", format.extension()), whole[..whole.len() - 9].to_vec());
        let mut flipped = whole;
        let middle = flipped.len() / 2;
        flipped[middle] ^= 1;
        write(&format!("flipped.{}", format.extension()), flipped);
    }
    let spoiled: [(&str, Spoil); 9] = [
        ("status", |parts| drop(parts.header.insert("status".into(), MARK.into()))),
        ("version", |parts| drop(parts.header.insert("version".into(), MARK.into()))),
        ("created", |parts| drop(parts.header.insert("created".into(), MARK.into()))),
        ("kind", |parts| drop(parts.header.insert("kind".into(), MARK.into()))),
        ("name", |parts| drop(parts.tensor.insert("name".into(), MARK.into()))),
        ("dtype", |parts| drop(parts.tensor.insert("dtype".into(), MARK.into()))),
        ("encoding", |parts| drop(parts.tensor.insert("encoding".into(), MARK.into()))),
        ("twice", |parts| {
            parts.ids.insert("name".into(), MARK.into());
            parts.tensor.insert("name".into(), MARK.into());
        }),
        ("length", |parts| {
            parts.tensor.insert("name".into(), MARK.into());
            parts.tensor.insert("length".into(), native::ints(&[7]));
        }),
    ];
    for (name, spoil) in spoiled {
        write(&format!("native-{name}.vnp"), native::good(spoil));
    }
    let f32s = |name: &str, dtype: &str| {
        safetensors(
            &serde_json::json!({
                "__metadata__": { MARK: MARK, "format": MARK },
                name: { "dtype": dtype, "shape": [1], "data_offsets": [0, 4] },
            }),
            &[0; 4],
        )
    };
    write("plain.safetensors", f32s(MARK, "F32"));
    write("dtype.safetensors", f32s(MARK, MARK));
    let surplus = serde_json::json!({ MARK: { "dtype": "F32", "shape": [1], MARK: MARK } });
    write("field.safetensors", safetensors(&surplus, &[0; 4]));
    write("text.safetensors", safetensors(&serde_json::json!(MARK), &[0; 4]));

    let weights = |key: &str| dict(&[(key, tensor("0", &[3])), ("note", text(MARK))]);
    let storages: [(&str, &[u8]); 1] = [("0", &[0; 12])];
    write("keys.pt", archive(&pickle(&weights(MARK)), &storages));
    write("legacy.pt", legacy(&weights(MARK), &[("0", 3, &[0; 12])]));
    let nested = dict(&[(MARK, dict(&[(MARK, list(&[text(MARK)]))])), ("w", tensor("0", &[3]))]);
    write("nested.pt", archive(&pickle(&nested), &storages));
    write("storage.pt", archive(&pickle(&dict(&[(MARK, tensor(MARK, &[3]))])), &storages));
    // The module and the name of a global are lines of their own.
    let global = MARK.replace('\n', " ");
    let unknown = call(&global, &global, &[text(MARK)]);
    write("global.pt", archive(&pickle(&dict(&[(MARK, unknown)])), &[]));
    let danger = call("os", "system", &[text(MARK)]);
    write("danger.pt", archive(&pickle(&dict(&[(MARK, danger)])), &[]));
    write("record.pt", zip(&[(MARK, b"x"), ("archive/data.pkl", &pickle(&weights("w")))]));
    write("folder.pt", zip(&[(&format!("{MARK}/data.pkl"), &pickle(&weights("w")))]));
    write("index.safetensors.index.json", index());
    write("page.pt", format!("<!DOCTYPE html>{MARK}").into_bytes());
    write("text.vnp", MARK.as_bytes().to_vec());
}

fn index() -> Vec<u8> {
    serde_json::json!({ "weight_map": { MARK: MARK } }).to_string().into_bytes()
}

#[test]
fn files_of_every_format_are_shown_escaped() {
    let bench = Bench::new();
    let directory = marked_directory(&bench);
    all(&directory);
    bench.write("in.fa", ">a\nGCCGCCGCCGCC\n");
    let mut files: Vec<_> =
        std::fs::read_dir(&directory).unwrap().map(|e| e.unwrap().path()).collect();
    files.sort();
    assert!(files.len() > 30, "{}", files.len());
    let mut whole = 0;
    for path in &files {
        let file = &argument(&bench, path);
        let table = run(&bench, &["checkpoint", "inspect", file]);
        let json = run(&bench, &["checkpoint", "inspect", file, "--json"]);
        assert_eq!(table.code, json.code);
        if table.code == Some(0) {
            whole += 1;
            table.expect(0, true);
            json.expect(0, true);
            let json: serde_json::Value = serde_json::from_str(&json.stdout).unwrap();
            assert_eq!(json["path"], **file);
        } else {
            // The file's own name is marked.
            table.expect(3, true);
        }
        for to in ["out.vnp", "out.pt", "out.safetensors"] {
            run(&bench, &["checkpoint", "convert", file, to, "-v"]);
        }
        run(&bench, &["predict", "in.fa", "-m", "custom", "-p", file, "-o", "out"]).expect(1, true);
        let import = ["models", "import", "--esm2", file, "--dnabert", file, "--head", file];
        let more = ["--tokenizer", file, "--expected-length", "500", "-o", "m"];
        run(&bench, &[&import[..], &more].concat()).expect(1, true);
        run(&bench, &["embed", "in.fa", "--encoder", "esm2", "--weights", file, "-o", "e.pt"])
            .expect(1, true);
    }
    assert!(whole >= 9, "{whole}");
}

#[test]
fn a_tree_is_reported_escaped() {
    let bench = Bench::new();
    let directory = marked_directory(&bench);
    all(&directory);
    // A log of failures that somebody else wrote.
    let line = "a%0A1999%1B[31m%E2%80%AE|b%0A1999%1B[31m|2026-01-31T23:59:59Z\nx\u{1b}|y\n";
    std::fs::write(directory.join("failed_checkpoints.txt"), line).unwrap();
    let tree = &argument(&bench, &directory);
    for more in [&[][..], &["--skip-load"], &["--log-failures"]] {
        let table = run(&bench, &[&["validate-checkpoints", tree], more].concat());
        table.expect(3, true);
        assert!(table.stdout.contains("b\\n1999\\u{1b}[31m"), "{}", table.stdout);
        let json = run(&bench, &[&["validate-checkpoints", tree, "--json"], more].concat());
        json.expect(3, true);
        let json: serde_json::Value = serde_json::from_str(&json.stdout).unwrap();
        assert!(json["files"].as_array().unwrap().len() > 20, "{json}");
        assert_eq!(json["recorded_failures"][0]["reason"], "b\n1999\u{1b}[31m");
    }
    let log = std::fs::read_to_string(directory.join("failed_checkpoints.txt")).unwrap();
    let ours = log.lines().skip(2);
    assert!(ours.flat_map(str::chars).all(vnp_escape::is_plain), "{log:?}");
    run(&bench, &["predict", "in.fa", "--resume-from", tree, "-o", "out"]);
    run(&bench, &["train", "--virus", tree, "--others", tree, "-o", "out"]);
}
