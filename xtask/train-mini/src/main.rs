//! Measures and trains `mini`, the bundle that is compiled into the program.
//!
//! Cross-validation over groups of relatives measures it and two baselines. Then it is trained on
//! all groups and written with its nucleotide-only head. Every training saves its state and resumes
//! from it. The same data and settings give the same files, byte for byte.

#![expect(clippy::indexing_slicing, reason = "numeric code over arrays that it allocates")]
#![expect(clippy::expect_used, reason = "a lock whose holders do not panic")]
#![expect(clippy::print_stderr, reason = "progress of an hour-long chore")]

mod baselines;
mod chunks;
mod corpus;
mod data;
mod folds;
mod organism;
mod provenance;
mod report;
mod settings;
mod trial;

use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use clap::Parser;
use vnp_infer::BundleWriter;

use corpus::Corpus;
use data::Data;
use settings::Arguments;

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let settings = arguments.settings()?;
    let started = Instant::now();
    let log = |what: &str| eprintln!("{:7.1} s  {what}", started.elapsed().as_secs_f64());

    let mut data = Data::read(&arguments.data)?;
    let examples = data::read_sequences(&arguments.examples)?;
    let identity = provenance::identity(&data, &examples, &settings);
    let corpus = Corpus::new(&mut data, &examples, &settings)?;
    log(&corpus.describe());
    let with_final = !arguments.measure_only;
    let (pools, trained) = folds::run(&corpus, &settings, &arguments, &identity, with_final, &log)?;
    for line in pools.describe()? {
        log(&line);
    }
    let Some(trained) = trained else { return Ok(()) };

    let model = &trained.model;
    let mut writer = BundleWriter::new(
        (trained.setup.esm2.clone(), model.esm2()),
        (trained.setup.dnabert.clone(), model.dnabert()),
        trained.setup.tokenizer.clone(),
        model.head(),
    )?
    .with_fallback(trained.fallback.clone())?;
    writer.name = "mini".to_owned();
    writer.expected_length = settings.chunk_length;
    let lengths = settings.joint.lengths.iter().map(|choice| choice.length);
    writer.further_lengths = lengths.filter(|length| *length != settings.chunk_length).collect();
    writer.licence = "MIT".to_owned();
    let measured = pools.json()?;
    writer.provenance =
        provenance::provenance(&settings, &data, &examples, &corpus, &trained, measured);
    replace(&writer, &arguments.out)?;
    log(&format!("written to {}", arguments.out.display()));
    Ok(())
}

/// Writes the bundle, and replaces an earlier one; refuses to replace anything else.
fn replace(writer: &BundleWriter, out: &Path) -> Result<()> {
    let fresh = out.with_extension("new");
    let old = out.with_extension("old");
    for path in [&fresh, &old] {
        ensure!(!path.exists(), "{} exists already: remove it", path.display());
    }
    let name = |path: &PathBuf| path.display().to_string();
    writer.write(&fresh).with_context(|| name(&fresh))?;
    if out.exists() {
        ensure!(out.join("bundle.json").is_file(), "{} is not a bundle", out.display());
        fs_err::rename(out, &old)?;
        fs_err::rename(&fresh, out)?;
        fs_err::remove_dir_all(&old)?;
    } else {
        fs_err::rename(&fresh, out)?;
    }
    Ok(())
}
