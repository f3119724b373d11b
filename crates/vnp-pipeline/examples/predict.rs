//! Predicts and embeds the sequences of a FASTA file with the built-in model, without the command line:
//! `cargo run --release -p vnp-pipeline --example predict -- examples/mixed.fa`

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "an example of a program")]

use std::path::{Path, PathBuf};

use vnp_infer::{Bundle, Model, ModelOptions};
use vnp_job::parts::StoredEmbeddings;
use vnp_pipeline::{Event, Goal, Input, ModelInfo, RunOptions, StopFlag, Summary, names, predict};
use vnp_seq::ChunkLength;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let fasta = PathBuf::from(std::env::args_os().nth(1).ok_or("usage: predict FASTA")?);
    let directory = tempfile::tempdir()?;
    let (scores, embeddings) = (directory.path().join("scores"), directory.path().join("emb"));

    // A table with a virus score for each record, and more files; see the README.
    let summary = run(&fasta, &scores, Goal::Scores)?;
    println!("{} of {} records are viral", summary.counts.records_viral, summary.counts.records);
    print!("{}", std::fs::read_to_string(scores.join(names::SEQUENCES))?);

    // The embeddings of every ORF, as checkpoints.
    run(&fasta, &embeddings, Goal::Embeddings)?;
    let stored = StoredEmbeddings::read(&embeddings)?;
    let (nucleotide, protein) = (stored.nucleotide_size, stored.protein_size);
    println!("{} ORFs, each with {nucleotide} + {protein} values", stored.ids.len());
    if let (Some(id), Some(value)) = (stored.ids.first(), stored.features.first()) {
        println!("the first value of {id} is {value}");
    }
    Ok(())
}

fn run(fasta: &Path, output_dir: &Path, goal: Goal) -> Result<Summary, Box<dyn std::error::Error>> {
    let bundle = Bundle::embedded()?;
    let chunk_length = ChunkLength::new(bundle.expected_length())?;
    let inputs = vec![Input::File(fasta.to_owned())];
    let options =
        RunOptions { goal, ..RunOptions::new(inputs, output_dir.to_owned(), chunk_length) };
    let model = ModelOptions::default();
    let info = ModelInfo::of(&bundle, model.precision);
    let load = Box::new(|| Model::load_all(&bundle, &model));
    let observer = |event: Event<'_>| {
        if let Event::Surveyed(survey) = event {
            eprintln!("{} records, {} ORFs", survey.records, survey.rows);
        }
    };
    Ok(predict(options, &info, load, &observer, &StopFlag::default())?)
}
