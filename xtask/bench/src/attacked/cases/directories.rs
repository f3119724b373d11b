//! What happens around a command: directories that vanish, links, devices, streams and signals; and the binary
//! itself.

use std::io::Write as _;
use std::os::unix::fs::symlink;
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result};
use vnp_infer::BundleWriter;

use super::super::case::Case;
use super::super::ended::Ended;
use super::super::finding::Finding;
use super::super::program::Program;
use crate::infer::ours::{tensors, tokenizer};
use crate::infer::shape::{Shape, Size};
use crate::latency::files::head;
use crate::place::{Place, below};

/// Seconds and megabytes of a run of the built-in model over a few records.
const RUN: (f64, u64) = (10.0, 512);

pub(super) fn all() -> Vec<Case> {
    let mut cases = vec![
        Case::new(
            Finding::Signals,
            "an import",
            "models import …, SIGTERM while it writes",
            bundle,
        )
        .ends(&[143])
        .within(10.0, 2_000)
        .running("temporaries left", interrupted),
        Case::new(Finding::Devices, "/dev/zero", "validate /dev/zero", |_| Ok(())).ends(&[1]),
        Case::new(
            Finding::Devices,
            "a stream of zeros",
            "predict - -o out/run, zeros without an end",
            |_| Ok(()),
        )
        .ends(&[1])
        .running("MB taken before it was recognised", endless),
        Case::new(Finding::Binary, "paths", "the program itself", |_| Ok(()))
            .running("paths of the machine that built it", paths_in_binary),
    ];
    for vanishing in ["checkpoints", "checkpoints/protein", ""] {
        let name = format!("out/{vanishing}");
        let command = "predict - -o out/run, moved away while it waits";
        cases.push(
            Case::new(Finding::Vanished, name, command, input)
                .ends(&[3])
                .within(RUN.0, RUN.1)
                .running("without the advice to resume", move |program: &Program<'_>| {
                    vanished(program, vanishing)
                }),
        );
    }
    for link in ["checkpoints", "checkpoints/protein", "checkpoints/failed_checkpoints.txt"] {
        for start in ["--resume", "--force", "--force-resume"] {
            let command = format!("predict in.fa -o out/run {start}, after a link was placed");
            cases.push(
                Case::new(Finding::Links, format!("{link} {start}"), command, input)
                    .ends(&[1])
                    .within(RUN.0, RUN.1)
                    .running("files of somebody else changed", move |program: &Program<'_>| {
                        linked(program, link, start)
                    }),
            );
        }
    }
    cases
}

fn input(place: &Place) -> Result<()> {
    let mut draw = crate::draw::Draw::new("input");
    let mut record = |number: usize| {
        let letters: String = (0..1_000).map(|_| draw.letter(b"CGCGACGAT")).collect();
        format!(">r{number}\n{letters}\n")
    };
    Ok(fs_err::write(place.path("in.fa"), (0..20).map(&mut record).collect::<String>())?)
}

/// A bundle of 75 MB, to be imported.
fn bundle(place: &Place) -> Result<()> {
    let esm2 = Shape::T12.size();
    let dnabert = Size { layers: 1, ..Shape::Dnabert.size() };
    let (esm2_config, dnabert_config) = (esm2.esm2_config(), dnabert.dnabert_config());
    let mut writer = BundleWriter::new(
        (esm2_config.clone(), tensors(esm2_config.tensors())),
        (dnabert_config.clone(), tensors(dnabert_config.tensors())),
        tokenizer(dnabert)?,
        head(esm2.hidden + dnabert.hidden),
    )?;
    writer.name = "t12".to_owned();
    writer.expected_length = 500;
    writer.licence = "none: random weights".to_owned();
    writer.write(&place.path("t12"))?;
    Ok(())
}

fn interrupted(program: &Program<'_>) -> Result<Ended> {
    let (esm2, dnabert) = (["--esm2", "t12/esm2"], ["--dnabert", "t12/dnabert"]);
    let rest = ["--head", "t12/head.safetensors", "--expected-length", "500", "-o", "out/imported"];
    let words = [&["models", "import"][..], &esm2, &dnabert, &rest].concat();
    let mut child = program.quiet(&words).spawn()?;
    let place = program.place;
    program.wait(&mut child, || place.leftovers().is_ok_and(|count| count > 0))?;
    Command::new("kill").arg("-TERM").arg(child.id().to_string()).status()?;
    let code = program.end(child)?;
    Ok(Ended { code, wrong: place.leftovers()? as u64 })
}

fn endless(program: &Program<'_>) -> Result<Ended> {
    let mut child =
        program.quiet(&["predict", "-", "-o", "out/run"]).stdin(Stdio::piped()).spawn()?;
    let mut stdin = child.stdin.take().context("stdin")?;
    let megabyte = vec![0; 1_000_000];
    // A pipe holds less than this.
    let taken = (0..200).take_while(|_| stdin.write_all(&megabyte).is_ok()).count();
    drop(stdin);
    Ok(Ended { code: program.end(child)?, wrong: taken as u64 })
}

fn vanished(program: &Program<'_>, vanishing: &str) -> Result<Ended> {
    let (run, messages) = (program.place.path("out/run"), program.place.path("messages"));
    let mut command = program.quiet(&["predict", "-", "-o", "out/run"]);
    let stderr = fs_err::File::create(&messages)?.into_file();
    let mut child = command.stdin(Stdio::piped()).stderr(stderr).spawn()?;
    let mut stdin = child.stdin.take().context("stdin")?;
    program.wait(&mut child, || run.join("checkpoints/scores").is_dir())?;
    // It makes the others, and begins to wait.
    std::thread::sleep(std::time::Duration::from_millis(200));
    fs_err::rename(run.join(vanishing), program.place.path("moved"))?;
    // It may have ended already.
    drop(stdin.write_all(&fs_err::read(program.place.path("in.fa"))?));
    drop(stdin);
    let code = program.end(child)?;
    let told = fs_err::read_to_string(messages)?;
    Ok(Ended { code, wrong: u64::from(!told.contains("continue with --resume")) })
}

fn linked(program: &Program<'_>, link: &str, start: &str) -> Result<Ended> {
    let place = program.place;
    program.run(&["predict", "in.fa", "-o", "out/run", "--keep-embeddings"])?;
    let theirs = place.path("theirs");
    fs_err::create_dir(&theirs)?;
    fs_err::write(theirs.join("file"), "theirs\n")?;
    // A name that `--force` removes from a directory of its own.
    fs_err::write(theirs.join("rows-000000000000-000000000001.vnp"), "theirs")?;
    let linked = place.path("out/run").join(link);
    if linked.is_dir() {
        fs_err::remove_dir_all(&linked)?;
    }
    symlink(if link.ends_with(".txt") { theirs.join("file") } else { theirs.clone() }, &linked)?;
    let contents = || -> Result<Vec<_>> {
        let mut files = below(&theirs)?;
        files.sort();
        files.into_iter().map(|path| Ok((fs_err::read(&path).ok(), path))).collect()
    };
    let before = contents()?;
    let ended = program.run(&["predict", "in.fa", "-o", "out/run", start])?;
    let after = contents()?;
    let changed = before.iter().filter(|entry| !after.contains(entry)).count()
        + after.iter().filter(|entry| !before.contains(entry)).count();
    Ok(Ended { wrong: changed as u64, ..ended })
}

fn paths_in_binary(program: &Program<'_>) -> Result<Ended> {
    let bytes = fs_err::read(&program.place.vnp)?;
    let count = |path: &[u8]| bytes.windows(path.len()).filter(|window| *window == path).count();
    let wrong = count(b"/registry/src/") + count(b"/rustlib/src/rust/");
    Ok(Ended { code: Some(0), wrong: wrong as u64 })
}
