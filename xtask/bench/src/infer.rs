//! How fast sequences are embedded, compared with the peak of this machine and with other engines.
//!
//! Networks have the published sizes and random weights. Every engine embeds the same number of
//! sequences of the same lengths; all run in turn, round after round, and what counts are ratios
//! within rounds. `docs/BENCHMARKS.md` says how to read what is printed.

use std::io::Write;
use std::path::Path;

use anyhow::Result;

mod engine;
mod options;
pub(crate) mod ours;
mod peak;
mod peers;
mod product;
mod rounds;
pub(crate) mod shape;
mod table;
mod work;

use engine::Engine;
use peers::Job;
use rounds::{Ours, Rounds};
use shape::Shape;
use work::Work;

pub(crate) use options::Options;

/// Times everything and prints each table when it is complete.
pub(crate) fn run(options: &Options) -> Result<()> {
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
        judgements.extend(time(*shape, options)?);
    }
    let met = judgements.iter().filter(|is_met| **is_met).count();
    if !judgements.is_empty() {
        writeln!(out, "{met} of {} targets met", judgements.len())?;
    }
    Ok(())
}

/// Times one shape. Returns for every target whether it was met.
fn time(shape: Shape, options: &Options) -> Result<Vec<bool>> {
    let mut out = std::io::stdout();
    let (work, size) = (Work::new(shape, options), shape.size());
    writeln!(out, "\n## {}: {} layers of {}", shape.name(), size.layers, size.hidden)?;
    let (least, most) = (work.lengths.iter().min(), work.lengths.iter().max());
    let (Some(least), Some(most)) = (least, most) else { return Ok(Vec::new()) };
    writeln!(
        out,
        "\n{} sequences of {} to {} tokens, {} tokens and {:.2} TFLOP in all",
        work.sequences.len(),
        least,
        most,
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

/// Times one shape on a number of threads, with one group of other engines after the other.
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
    let job = Job { shape, threads, python, scripts, cache };
    let mut judgements = Vec::new();
    for group in groups {
        writeln!(std::io::stdout())?;
        let peers = peers::start(&job, work, &group)?;
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
