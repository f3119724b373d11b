//! `train-mini`: the bundle that is compiled into the program.
//!
//! Both encoders are drawn at random, with a tokenizer of their own; the head is trained on their
//! embeddings as the original trains its head, with the original's faults repaired. Relatives never
//! stand on both sides of the split. The same data and settings give the same files, byte for byte.

#![expect(clippy::indexing_slicing, reason = "numeric code over arrays of its own making")]
#![expect(clippy::print_stderr, reason = "a chore of minutes tells how far it is")]

mod chunks;
mod corpus;
mod data;
mod encoders;
mod features;
mod fit;
mod groups;
mod head;
mod metrics;
mod organism;
mod provenance;
mod rng;
mod settings;
mod tokenizer;

use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use vnp_infer::{BundleWriter, Encoder, Head};

use chunks::Chunk;
use corpus::{Corpus, Pools};
use data::Data;
use encoders::Encoders;
use features::Features;
use metrics::Scored;
use settings::Arguments;

pub(crate) fn run(args: &[String]) -> Result<()> {
    let arguments = Arguments::parse(args)?;
    let settings = arguments.settings()?;
    let started = Instant::now();
    let log = |what: &str| eprintln!("{:7.1} s  {what}", started.elapsed().as_secs_f64());

    let mut data = Data::read(&arguments.data)?;
    let examples = data::read_sequences(&arguments.examples)?;
    let corpus = Corpus::new(&mut data, &examples, &settings)?;
    log(&corpus.describe(&data));

    let pools = Pools::new(&corpus, &data, &settings)?;
    log(&format!(
        "{:?}; training {}, validation {}, test {} chunks",
        pools.tally,
        pools.training.len(),
        pools.validation.len(),
        pools.test.len()
    ));
    let frames = pools.training.iter().flat_map(|chunk| &chunk.frames);
    let texts: Vec<&str> = frames.map(|frame| frame.nucleotide.as_str()).collect();
    let tokenizer = tokenizer::train(texts.into_iter(), settings.design.vocabulary)?;
    log("tokenizer trained");

    let encoders = Encoders::new(&settings.design, settings.seed, tokenizer)?;
    let embed = |chunks: &[Chunk]| Features::new(chunks, &encoders.nucleotide, &encoders.protein);
    let training = embed(&pools.training)?;
    let frames = training.joined.len() / training.width;
    log(&format!("{frames} training frames embedded"));
    let validation = embed(&pools.validation)?;
    let test = embed(&pools.test)?;
    log("validation and test frames embedded");

    let weights = fit::train_head(&pools, &training, &validation, &settings, &log);
    let head_tensors = fit::head_tensors(&weights);
    let sizes = (encoders.nucleotide.hidden_size(), encoders.protein.hidden_size());
    let head = Head::new(head_tensors.clone(), sizes.0, sizes.1)?;
    let score = |chunks: &[Chunk], features: &Features| -> Result<Vec<Scored>> {
        let scores = head.score(&features.nucleotide, &features.protein)?;
        let virus: Vec<f32> = scores.iter().map(|[_, virus]| *virus).collect();
        Ok(chunks::score(chunks, &virus))
    };
    let scored = [score(&pools.validation, &validation)?, score(&pools.test, &test)?];
    for (name, scored) in ["validation", "test"].iter().zip(&scored) {
        log(&format!("{name}: {}", serde_json::to_string(&metrics::balanced(scored))?));
    }
    for kind in metrics::by_kind(&scored[1]) {
        log(&format!("  {}", serde_json::to_string(&kind)?));
    }

    let mut writer = BundleWriter::new(
        (settings.design.esm2_config(), encoders.esm2_tensors),
        (settings.design.dnabert_config(), encoders.dnabert_tensors),
        encoders.tokenizer.into_bytes(),
        head_tensors,
    )?;
    writer.name = "mini".to_owned();
    writer.expected_length = settings.chunk_length;
    writer.licence = "MIT".to_owned();
    writer.provenance = provenance::provenance(&settings, &data, &corpus, &pools, &scored)?;
    replace(&writer, &arguments.out)?;
    log(&format!("written to {}", arguments.out.display()));
    Ok(())
}

/// Puts the bundle in the place of an earlier one, and of nothing else.
fn replace(writer: &BundleWriter, out: &Path) -> Result<()> {
    let fresh = out.with_extension("new");
    let old = out.with_extension("old");
    for path in [&fresh, &old] {
        ensure!(!path.exists(), "{} is in the way: remove it", path.display());
    }
    let name = |path: &PathBuf| path.display().to_string();
    writer.write(&fresh).with_context(|| name(&fresh))?;
    if out.exists() {
        ensure!(out.join("bundle.json").is_file(), "{} is no bundle", out.display());
        fs_err::rename(out, &old)?;
        fs_err::rename(&fresh, out)?;
        fs_err::remove_dir_all(&old)?;
    } else {
        fs_err::rename(&fresh, out)?;
    }
    Ok(())
}
