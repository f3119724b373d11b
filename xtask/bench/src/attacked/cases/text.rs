//! Text from outside with control characters, wherever a file, a name or an argument can carry it.

use std::path::Path;

use anyhow::{Context as _, Result};
use vnp_ckpt::{Checkpoint, Producer, RowRange, Tensor};
use vnp_forge::items::{archive, call, dict, pickle, tensor, text};

use super::super::case::Case;
use super::super::ended::Ended;
use super::super::finding::Finding;
use super::super::program::{FORGED, Program};
use crate::place::Place;

/// The words of a command over one marked file.
type Words = fn(&str) -> Vec<&str>;

pub(super) fn all() -> Vec<Case> {
    let inspect: Words = |file| vec!["checkpoint", "inspect", file];
    let as_json: Words = |file| vec!["checkpoint", "inspect", file, "--json"];
    let validate: Words = |_| vec!["validate-checkpoints", MARK];
    let report: Words = |_| vec!["validate-checkpoints", MARK, "--json"];
    let head: Words = |file| vec!["predict", "in.fa", "-m", "custom", "-p", file, "-o", "out/run"];
    let weights: Words =
        |file| vec!["embed", "in.fa", "--encoder", "esm2", "--weights", file, "-o", "out/e.vnp"];
    let convert: Words = |file| vec!["checkpoint", "convert", file, "out/to.vnp"];
    let commands = [
        ("checkpoint inspect", inspect),
        ("checkpoint inspect --json", as_json),
        ("validate-checkpoints", validate),
        ("validate-checkpoints --json", report),
        ("predict -p", head),
        ("embed --weights", weights),
        ("checkpoint convert", convert),
    ];
    let mut cases: Vec<Case> =
        commands.into_iter().map(|(name, words)| of_files(name, words)).collect();
    let validate: Words = |file| vec!["validate", file];
    let orfs: Words =
        |file| vec!["orfs", file, "--nucleotide", "out/n.fa", "--protein", "out/p.faa"];
    let predict: Words = |file| vec!["predict", file, "-o", "out/run"];
    for (name, words) in [("validate", validate), ("orfs", orfs), ("predict", predict)] {
        cases.push(marked(format!("ids of records, {name}"), name, &["in.fa"], words));
    }
    let unknown: Words = |_| vec!["predict", "in.fa", "--made-up", MARK, "-o", MARK, "-m", MARK];
    cases.push(marked("arguments".to_owned(), "predict …", &["in.fa"], unknown));
    cases
}

/// An escape sequence, a C1 control, DEL, a direction mark, a Unicode line end, and a line end with a line of
/// a log behind it.
const MARK: &str =
    "m\u{1b}[31mk\u{9b}2J\u{7f}\u{202e}x\u{2028}y\u{200b}\n1999-01-01T00:00:00Z ERROR z";

const FILES: [&str; 6] = ["a.vnp", "a.safetensors", "keys.pt", "global.pt", "text.vnp", "cut.vnp"];

fn of_files(command: &'static str, words: Words) -> Case {
    marked(format!("every field of a file, {command}"), command, &FILES, words)
}

/// Runs a command over each of these files, whose directory is marked as well.
fn marked(name: String, command: &str, files: &'static [&'static str], words: Words) -> Case {
    Case::new(Finding::Escapes, name, command, write).within(10.0, 256).running(
        "raw characters",
        move |program: &Program<'_>| {
            let mut sum = None;
            for file in files {
                let path = Path::new(MARK).join(file);
                let mut ended = program.count_raw(&words(path.to_str().context("a path")?))?;
                ended.wrong += sum.map_or(0, |before: Ended| before.wrong);
                sum = Some(ended);
            }
            sum.context("no files")
        },
    )
}

fn write(place: &Place) -> Result<()> {
    debug_assert!(MARK.contains(FORGED));
    let directory = place.path(MARK);
    fs_err::create_dir(&directory)?;
    let checkpoint = Checkpoint::builder(MARK)
        .rows(RowRange::new(0, 1))
        .ids(vec![MARK.to_owned()])
        .tensor(MARK, Tensor::from_f32([1, 1], vec![1.0])?)
        .metadata(MARK, MARK)
        .unknown(MARK, MARK)
        .producer(Producer { name: MARK.to_owned(), version: MARK.to_owned() })
        .build()?;
    vnp_ckpt::atomic_save(&directory.join("a.vnp"), &checkpoint)?;
    let whole = fs_err::read(directory.join("a.vnp"))?;
    let header = serde_json::json!({
        "__metadata__": { MARK: MARK },
        MARK: { "dtype": MARK, "shape": [1], "data_offsets": [0, 4] },
    })
    .to_string();
    let weights = dict(&[(MARK, tensor("0", &[3])), ("note", text(MARK))]);
    let global = MARK.replace('\n', " ");
    let unknown = dict(&[(MARK, call(&global, &global, &[text(MARK)]))]);
    let sequences = format!(">{}\nMKVLEMKVLE\n", MARK.replace('\n', ""));
    for (name, bytes) in [
        (
            "a.safetensors",
            [&(header.len() as u64).to_le_bytes(), header.as_bytes(), &[0; 4]].concat(),
        ),
        ("keys.pt", archive(&pickle(&weights), &[("0", &[0; 12])])),
        ("global.pt", archive(&pickle(&unknown), &[])),
        ("text.vnp", MARK.as_bytes().to_vec()),
        ("cut.vnp", whole.get(..whole.len() - 9).unwrap_or_default().to_vec()),
        ("in.fa", sequences.into_bytes()),
    ] {
        fs_err::write(directory.join(name), bytes)?;
    }
    Ok(fs_err::write(place.path("in.fa"), ">a\nGCCGCCGCCGCC\n")?)
}
