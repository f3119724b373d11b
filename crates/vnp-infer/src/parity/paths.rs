//! The same on the CPU for every form in which weights are imported, as a table.
//!
//! `cargo test --workspace --lib parity::paths -- --nocapture` prints it.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use candle_core::Device;
use vnp_kernels::Cpu;
use vnp_kernels::Precision::F32;

use super::*;
use crate::bundle::Bundle;
use crate::bundle::distribution::read_dnabert;
use crate::bundle::import::{ImportOptions, import};
use crate::cpu::CpuNetwork;
use crate::cpu::transformer::Buffers;
use crate::encoder::transformer::{Dnabert, Esm2};
use crate::testing::distribute::{renamed, write_shards, write_torch};
use crate::testing::tokenizer_json;
use crate::weights::Weights;
use crate::weights::tensors::Tensors;

/// The result of one form: names of tensors with their largest difference.
type Column = (String, Vec<(String, f32)>);

/// Files of PyTorch, fair-esm and transformers, and copies of them written here.
struct Files {
    directory: tempfile::TempDir,
    tokenizer: PathBuf,
}

impl Files {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let tokenizer = directory.path().join("tokenizer.json");
        // Means are of given tokens; any tokenizer will do.
        fs_err::write(&tokenizer, tokenizer_json()).unwrap();
        Self { directory, tokenizer }
    }

    /// The weights of a directory of fixtures, written again by `write`.
    fn rewritten(&self, name: &str, from: &str, write: impl Fn(&Path, &Tensors)) -> PathBuf {
        let (from, to) = (fixture(from), self.directory.path().join(name));
        fs_err::create_dir(&to).unwrap();
        fs_err::copy(from.join("config.json"), to.join("config.json")).unwrap();
        let source = TensorFile::open(&from.join("model.safetensors")).unwrap();
        write(&to, &renamed(&source, true, |name| Some(name.to_owned())));
        to
    }

    fn dnabert(&self, path: &Path) -> NetworkSource<DnabertConfig> {
        read_dnabert(path, Some(&self.tokenizer)).unwrap().0
    }

    fn bundle(&self, name: &str, esm2: PathBuf, dnabert: PathBuf, head: PathBuf) -> Bundle {
        import(&ImportOptions {
            esm2,
            dnabert,
            tokenizer: Some(self.tokenizer.clone()),
            head,
            fallback: None,
            expected_length: 500,
            name: name.to_owned(),
            out: self.directory.path().join(name),
            licence: String::new(),
            provenance: Value::Null,
        })
        .unwrap()
    }
}

/// The network on this CPU.
fn on_cpu<A: Architecture>(source: &NetworkSource<A>) -> CpuNetwork {
    CpuNetwork::load(&source.config.plan(), &source.weights, Cpu::detect(), F32).unwrap()
}

fn esm2_column(source: &NetworkSource<Esm2Config>) -> Vec<(String, f32)> {
    let expected = Expected::open();
    let cases = cases("esm2");
    let mut column = vec![("esm2.tokens".to_owned(), esm2_token_differences(&expected))];
    let network = on_cpu(source);
    let tokens = tokenize(&cases[0].1);
    let mut note = |name: String, found: Vec<f32>| {
        let worst = expected.worst(&name, &found);
        column.push((name, worst));
    };
    let mut buffers = Buffers::default();
    let last = network
        .transformer
        .forward(
            &[&tokens],
            &mut buffers,
            &mut |layer, x| {
                if layer < 2 {
                    note(format!("esm2.first.layer{layer}"), x.to_vec());
                }
            },
            &|| false,
        )
        .unwrap()
        .to_vec();
    note("esm2.first.last".to_owned(), last);
    let options = ModelOptions::default();
    let encoder = Esm2::load(source, &options, &Device::Cpu).unwrap();
    let proteins: Vec<&str> = cases.iter().map(|(_, protein)| protein.as_str()).collect();
    note("esm2.mean".to_owned(), encoder.embed(&proteins).unwrap());
    column
}

fn dnabert_column(source: &NetworkSource<DnabertConfig>) -> Vec<(String, f32)> {
    let expected = Expected::open();
    let mut column = Vec::new();
    let ids = expected.ids("dnabert.d2.ids");
    let mut buffers = Buffers::default();
    let network = on_cpu(source).transformer;
    let hidden = network.forward(&[&ids], &mut buffers, &mut |_, _| {}, &|| false).unwrap();
    let name = "dnabert.d2.hidden";
    column.push((name.to_owned(), expected.worst(name, hidden)));
    let tokenizer = DnabertTokenizer::new("t", &tokenizer_json()).unwrap();
    let encoder = Dnabert::load(source, tokenizer, &ModelOptions::default(), &Device::Cpu).unwrap();
    for (name, ids) in nucleotide_tokens(&expected) {
        let found = encoder.network().embed(&[ids]).unwrap();
        let name = format!("dnabert.{name}.mean");
        let worst = expected.worst(&name, &found);
        column.push((name, worst));
    }
    column
}

fn head_column(weights: &Weights) -> Vec<(String, f32)> {
    let expected = Expected::open();
    let (nucleotide, protein) = head_input(&expected);
    let head = Head::load(weights, NUCLEOTIDE_SIZE, PROTEIN_SIZE).unwrap();
    let logits = head.logits(&nucleotide, &protein).unwrap();
    let scores = head.score(&nucleotide, &protein).unwrap();
    [("head.logits", logits), ("head.probabilities", scores)]
        .map(|(name, found)| (name.to_owned(), expected.worst(name, found.as_flattened())))
        .to_vec()
}

/// Prints the columns side by side and returns the tensors beyond the tolerance, and every name.
fn print(columns: &[Column]) -> (Vec<String>, BTreeSet<String>) {
    let width = |(title, _): &Column| title.len().max(7) + 2;
    let titles: String =
        columns.iter().map(|column| format!("{:>1$}", column.0, width(column))).collect();
    println!("\n{:24}{titles}", "largest difference");
    let (mut beyond, mut names) = (Vec::new(), BTreeSet::new());
    for (row, (name, _)) in columns[0].1.iter().enumerate() {
        print!("{name:24}");
        for column in columns {
            let (found, worst) = &column.1[row];
            assert_eq!(found, name);
            print!("{:>1$}", format!("{worst:.1e}"), width(column));
            if *worst > TOLERANCE || worst.is_nan() {
                beyond.push(format!("{name} by {}: {worst:e}", column.0));
            }
        }
        println!();
        names.insert(name.clone());
    }
    (beyond, names)
}

#[test]
fn every_path_gives_the_numbers_of_pytorch() {
    let files = Files::new();
    let fair = fixture("torch/esm2_tiny.pt");
    let shards = files.rewritten("shards", "parity/esm2", |path, tensors| {
        write_shards(path, ("pytorch_model", "bin"), tensors);
    });
    let (bin_title, bin) = match shared("parity/dnabert/pytorch_model.bin") {
        Some(bin) => ("pytorch_model.bin", bin),
        None => {
            let write = |path: &Path, tensors: &Tensors| {
                write_torch(&path.join("pytorch_model.bin"), tensors, &[]);
            };
            ("pytorch_model.bin, written here", files.rewritten("bin", "parity/dnabert", write))
        }
    };
    let head = fixture("torch/head.pth");
    let bundle = files.bundle("first", fair.clone(), bin.clone(), head.clone());
    let other = files.bundle(
        "second",
        fixture("parity/esm2"),
        fixture("parity/dnabert"),
        fixture("parity/head.safetensors"),
    );
    assert_eq!(bundle.digests(), other.digests());

    let column = |title: &str, column| (title.to_owned(), column);
    let esm2 = [
        column("fair-esm .pt", esm2_column(&read_esm2(&fair).unwrap())),
        column("HF directory", esm2_column(&read_esm2(&fixture("parity/esm2")).unwrap())),
        column("HF sharded .bin", esm2_column(&read_esm2(&shards).unwrap())),
        column("bundle", esm2_column(&bundle.parts.esm2)),
    ];
    let dnabert = [
        column("model.safetensors", dnabert_column(&files.dnabert(&fixture("parity/dnabert")))),
        column(bin_title, dnabert_column(&files.dnabert(&bin))),
        column("bundle", dnabert_column(&bundle.parts.dnabert)),
    ];
    let of_head = |path: &str| head_column(&read_head(&fixture(path)).unwrap());
    let heads = [
        column("whole module", of_head("torch/head.pth")),
        column("state dict", of_head("torch/head_state_dict.pth")),
        column("safetensors", of_head("parity/head.safetensors")),
        column("bundle", head_column(&bundle.parts.head)),
    ];
    let (mut beyond, mut names) = (Vec::new(), BTreeSet::new());
    for columns in [&esm2[..], &dnabert, &heads] {
        let (more, seen) = print(columns);
        beyond.extend(more);
        names.extend(seen);
    }
    assert!(beyond.is_empty(), "{beyond:?}");
    // Nucleotide tokens need the published tokenizer and are the same through all paths: they
    // have a test of their own.
    let expected = Expected::open();
    let unseen = expected.0.names().into_iter().filter(|name| !names.contains(*name));
    let unseen: Vec<&str> = unseen.filter(|name| !name.ends_with(".ids")).collect();
    assert_eq!(unseen, ["head.input"]);
}
