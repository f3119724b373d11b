//! Checkpoints and weights that ask for more than they have, that tell much, or on which validation and
//! loading disagreed.

use anyhow::Result;
use serde::Deserialize;
use vnp_ckpt::{Checkpoint, RowRange};
use vnp_forge::hostile_sizes::{self, HostileSize};
use vnp_forge::items::{archive, dict, int, list, pickle, tensor, text};
use vnp_forge::{native, torch};

use super::super::case::Case;
use super::super::ended::Ended;
use super::super::finding::Finding;
use super::super::program::Program;
use crate::place::Place;

/// Files that every command gets, not only `checkpoint inspect`.
const OF_EVERY_COMMAND: [&str; 6] = [
    "texts_by_reference",
    "legacy_texts_by_reference",
    "native_small_maps",
    "safetensors_metadata",
    "safetensors_copies",
    "safetensors_capitals",
];

pub(super) fn all(bytes: usize) -> Vec<Case> {
    let mut cases = vec![
        told("20,000 words", "words.pt", "", |_| {
            let words: Vec<_> = (0..20_000).map(int).collect();
            let weights = dict(&[("w", tensor("0", &[3])), ("vocab", list(&words))]);
            Ok(archive(&pickle(&weights), &[("0", &[0; 12])]))
        }),
        told("a key of 70,000 letters", "key.pt", "", |_| {
            let weights = dict(&[("w", tensor("0", &[3])), (&"k".repeat(70_000), text("v"))]);
            Ok(archive(&pickle(&weights), &[("0", &[0; 12])]))
        }),
        told("metadata of 5 MB", "long.vnp", "", long_metadata),
        told("metadata of 5 MB as JSON", "long.vnp", " --json", long_metadata),
    ];
    for hostile in hostile_sizes::all() {
        let file = hostile.file_name();
        cases.push(limited(hostile, bytes, "", format!("checkpoint inspect {file}")));
        let words = [
            format!("checkpoint convert {file} to.vnp"),
            "validate-checkpoints .".to_owned(),
            format!("predict in.fa -m custom -p {file} -o out/run"),
            format!("embed in.fa --encoder esm2 --weights {file} -o out/e.vnp"),
        ];
        if OF_EVERY_COMMAND.contains(&hostile.name) {
            let more = |command: String| limited(hostile, bytes, " ", command);
            cases.extend(words.into_iter().map(more));
        }
    }
    cases.extend([
        agreeing("a .vnp", "vnp", || native::good(|_| {})),
        agreeing("a .pt", "pt", || torch::good().bytes()),
    ]);
    cases
}

/// `checkpoint inspect` of a file that has much to tell.
fn told(
    name: &str,
    file: &'static str,
    more: &str,
    make: impl Fn(&Place) -> Result<Vec<u8>> + 'static,
) -> Case {
    let prepare = move |place: &Place| Ok(fs_err::write(place.path(file), make(place)?)?);
    Case::new(Finding::Telling, name, format!("checkpoint inspect {file}{more}"), prepare)
        .ends(&[0])
}

fn long_metadata(place: &Place) -> Result<Vec<u8>> {
    let path = place.path("made.vnp");
    let long = "x".repeat(5_000_000);
    let checkpoint =
        Checkpoint::builder("k").rows(RowRange::new(0, 0)).metadata("long", long).build()?;
    vnp_ckpt::atomic_save(&path, &checkpoint)?;
    Ok(fs_err::read(path)?)
}

fn limited(hostile: HostileSize, bytes: usize, mark: &str, command: String) -> Case {
    let verb = if mark.is_empty() { "" } else { command.split(' ').next().unwrap_or_default() };
    let verb = if command.contains(" convert ") { "convert" } else { verb };
    let name = format!("{}{mark}{verb}", hostile.name);
    Case::new(Finding::Limits, name, command, move |place| {
        fs_err::write(place.path("in.fa"), ">a\nGCCGCCGCCGCC\n")?;
        Ok(fs_err::write(place.path(&hostile.file_name()), (hostile.make)(bytes))?)
    })
}

/// A file of this format with each of its bytes changed: what is called OK must load.
fn agreeing(name: &str, extension: &'static str, make: fn() -> Vec<u8>) -> Case {
    let command = "validate-checkpoints tree; checkpoint convert FILE to.vnp";
    let prepare = move |place: &Place| {
        let (whole, tree) = (make(), place.path("tree"));
        fs_err::create_dir(&tree)?;
        for (offset, byte) in whole.iter().enumerate() {
            let mut bytes = whole.clone();
            if let Some(changed) = bytes.get_mut(offset) {
                *changed = byte ^ (1 << (offset % 8));
            }
            fs_err::write(tree.join(format!("{offset:06}.{extension}")), bytes)?;
        }
        Ok(())
    };
    Case::new(Finding::Verdicts, format!("{name} with each byte changed"), command, prepare)
        .within(120.0, 256)
        .running("files that are called OK and do not load", disagreeing)
}

/// What `validate-checkpoints --json` prints.
#[derive(Deserialize)]
struct Report {
    files: Vec<Reported>,
}

#[derive(Deserialize)]
struct Reported {
    path: String,
    result: String,
}

fn disagreeing(program: &Program<'_>) -> Result<Ended> {
    let report = program.place.path("report.json");
    let mut command = program.quiet(&["validate-checkpoints", "tree", "--json"]);
    let child = command.stdout(fs_err::File::create(&report)?.into_file()).spawn()?;
    let code = program.end(child)?;
    let report: Report = serde_json::from_slice(&fs_err::read(&report)?)?;
    let mut wrong = 0;
    for file in report.files.iter().filter(|file| file.result == "OK") {
        let words = ["checkpoint", "convert", &file.path, "out/to.safetensors"];
        wrong += u64::from(program.run(&words)?.code != Some(0));
    }
    Ok(Ended { code, wrong })
}
