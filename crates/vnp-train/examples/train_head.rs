//! Trains a head for the built-in encoders on made-up sequences: `cargo run --example train_head OUT`.

#![expect(clippy::print_stdout, reason = "the output of an example")]

use std::error::Error;
use std::path::PathBuf;
use std::time::Duration;

use vnp_infer::{Bundle, BundleWriter, Head, ModelOptions};
use vnp_job::{JobDirectory, OnBadFile, Start, StopFlag};
use vnp_seq::ChunkLength;
use vnp_train::{
    Chunk, Evaluation, Examples, Groups, HeadRecipe, Identity, JOB, LabelledRecord, Rng, Session,
    SharedKmers, Shares, Split, train_head,
};

fn main() -> Result<(), Box<dyn Error>> {
    let out = std::env::args_os().nth(1).map(PathBuf::from).ok_or("usage: train_head OUT")?;
    let records: Vec<LabelledRecord> = (0..24).map(made_up).collect();
    // Relatives stay together, and no chunk shares a k-mer with a later split.
    let groups = Groups::of_records(&records);
    let splits = groups.split(&Shares::default(), 1)?;
    let shared = SharedKmers::of_records(&records, &groups, &splits);
    let length = ChunkLength::new(500)?;
    let (chunks, _) = Chunk::cut_all(&records, &groups, &splits, &shared, length, 0);
    let (bundle, options) = (Bundle::embedded()?, ModelOptions::default());
    let encoders = (bundle.load_dnabert(&options)?, bundle.load_esm2(&options)?);
    let examples = Examples::embed(&chunks, &groups, &splits, (&encoders.0, &encoders.1))?;

    let session = Session {
        directory: &JobDirectory::open(&out, &JOB, Start::Resume, Vec::new())?,
        identity: &Identity::default().with("encoders", bundle.name()),
        on_bad_state: OnBadFile::Refuse,
        observer: &|_| {},
        stop: &StopFlag::default(),
        checkpoint_interval: Duration::from_secs(60),
    };
    let recipe = HeadRecipe { units: 32, standardise: true, ..HeadRecipe::default() };
    let trained = train_head(&examples, &recipe, &session)?;

    let (nucleotide, protein) = (examples.nucleotide_size, examples.protein_size);
    let scores = examples.score(&Head::new(trained.tensors.clone(), nucleotide, protein)?)?;
    let test = Evaluation::of(&examples, &scores, Split::Test)?;
    println!("{} epochs; AUROC of the test split {:?}", trained.history.len(), test.chunks.auroc);
    let mut writer = BundleWriter::of(&bundle).with_head(trained.tensors)?.without_fallback();
    "mine".clone_into(&mut writer.name);
    writer.write(&out.join("bundle"))?;
    Ok(())
}

/// A sequence poor in T, so that most chunks have an ORF; viruses are rich in G.
fn made_up(number: u64) -> LabelledRecord {
    let (mut rng, is_virus) = (Rng::new(number, "made up"), number.is_multiple_of(2));
    let letters = if is_virus { b"GGGGGGCCCCAAAT" } else { b"CCCCCCAAAAGGGT" };
    let sequence =
        (0..4000).filter_map(|_| letters.get(rng.below(letters.len())).copied()).collect();
    let id = format!("record{number}");
    LabelledRecord { id, is_virus, sequence, ..LabelledRecord::default() }
}
