//! How fast sequences are embedded, beside the peak of this machine and beside other engines.
//!
//! Networks have the published sizes and random weights. Every engine embeds the same number of
//! sequences of the same lengths; all run in turn, round after round, and what counts are ratios
//! within rounds. `docs/BENCHMARKS.md` says how to read what is printed.

use std::io::Write;
use std::path::Path;

use anyhow::Result;

mod clock;
mod draw;
mod engine;
mod options;
mod ours;
mod peak;
mod peers;
mod product;
mod rounds;
mod shape;
mod stats;
mod table;
mod work;

use engine::Engine;
use options::Options;
use peers::Start;
use rounds::{Ours, Rounds};
use shape::Shape;
use work::Work;

pub(crate) const USAGE: &str = "\
cargo run --release -p xtask --features infer -- bench-infer [OPTION VALUE]...
        --shapes LIST       of t6, t12, t30, t33, t36, dnabert        [t6,t30,t33,dnabert]
        --threads LIST      sizes of the thread pool                  [1,2]
        --precision LIST    of f32, bf16                              [f32,bf16]
        --sequences N       in a run                                  [by shape: some seconds]
        --rounds N          of everyone in turn                       [5]
        --lengths FROM-TO   residues of a protein                     [100-166]
        --tokens FROM-TO    tokens of a nucleotide sequence           [90-115]
        --python PATH       a Python with torch, to run other engines
        --engines LIST      of those, instead of all that fit
        --peers DIR         take esm_suite.py and mosaic.py of DIR, started for every run,
                            instead of one process that holds the engines
";

/// Times everything and prints tables as they are done.
pub(crate) fn run(args: &[String]) -> Result<()> {
    let options = Options::parse(args)?;
    if cfg!(debug_assertions) {
        writeln!(std::io::stderr(), "this is a debug build: its times say nothing")?;
    }
    let cores = std::thread::available_parallelism()?;
    let devices = vnp_infer::list_devices();
    let cpu = devices.first().map_or("", |device| device.description.as_str());
    let mut out = std::io::stdout();
    writeln!(out, "{cores} cores, {cpu}; medians of {} rounds", options.rounds)?;
    if options.python.is_none() {
        writeln!(out, "without --python nothing is compared with other engines")?;
    }
    let mut judgements = Vec::new();
    for shape in &options.shapes {
        judgements.extend(time(*shape, &options)?);
    }
    let met = judgements.iter().filter(|is_met| **is_met).count();
    if !judgements.is_empty() {
        writeln!(out, "{met} of {} targets met", judgements.len())?;
    }
    Ok(())
}

/// Times one shape; says for every target whether it was met.
fn time(shape: Shape, options: &Options) -> Result<Vec<bool>> {
    let mut out = std::io::stdout();
    let (work, size) = (Work::new(shape, options), shape.size());
    writeln!(out, "\n## {}: {} layers of {}", shape.name(), size.layers, size.hidden)?;
    let (least, most) = (work.lengths.iter().min(), work.lengths.iter().max());
    writeln!(
        out,
        "\n{} sequences of {} to {} tokens, {} tokens and {:.2} TFLOP in all",
        work.sequences.len(),
        least.copied().unwrap_or_default(),
        most.copied().unwrap_or_default(),
        work.tokens,
        work.flops / 1e12,
    )?;
    let mut encoders = Vec::new();
    for precision in &options.precisions {
        match ours::encoder(shape, *precision) {
            Ok(encoder) => encoders.push(Ours { precision: *precision, encoder }),
            Err(error) => writeln!(out, "vnp {precision} is left out: {error:#}")?,
        }
    }
    // Exported models are large: they lie on disk as long as this shape is timed.
    let cache = tempfile::Builder::new().prefix("bench-infer").tempdir()?;
    let mut judgements = Vec::new();
    for threads in &options.threads {
        writeln!(out, "\n### {}, threads: {threads}", shape.name())?;
        judgements.extend(compare(shape, *threads, options, &work, &encoders, cache.path())?);
    }
    Ok(judgements)
}

/// Times one shape on so many threads, beside one group of engines after the other.
fn compare(
    shape: Shape,
    threads: usize,
    options: &Options,
    work: &Work,
    ours: &[Ours],
    cache: &Path,
) -> Result<Vec<bool>> {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build()?;
    let groups = Engine::groups(shape, options.engines.as_deref());
    let (Some(python), false) = (&options.python, groups.is_empty()) else {
        let rounds = Rounds::take(options.rounds, &pool, work, ours, None)?;
        print(&rounds, threads, work)?;
        return Ok(Vec::new());
    };
    let scripts = options.scripts.as_deref();
    let start = Start { shape, threads, python, scripts, cache };
    let mut judgements = Vec::new();
    for group in groups {
        writeln!(std::io::stdout())?;
        let peers = start.peers(work, &group)?;
        let rounds = Rounds::take(options.rounds, &pool, work, ours, Some(peers))?;
        print(&rounds, threads, work)?;
        let (text, met) = table::ratios(&rounds, shape);
        writeln!(std::io::stdout(), "\n{text}")?;
        judgements.extend(met);
    }
    Ok(judgements)
}

fn print(rounds: &Rounds, threads: usize, work: &Work) -> Result<()> {
    let speeds = table::speeds(rounds, threads, work.flops_of_a_token());
    write!(std::io::stdout(), "\n{}\n\n{speeds}", table::peaks(rounds))?;
    Ok(())
}
