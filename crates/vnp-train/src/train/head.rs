//! Trains a head for the encoders of a bundle: prepare, embed, learn, measure.

use serde_json::{Map, Value, json};
use vnp_infer::{Bundle, BundleWriter, Head};
use vnp_job::parts::Encoders;

use crate::data::class::Class;
use crate::data::embedded::source::Embedded;
use crate::data::examples::Examples;
use crate::data::preparation::Preparation;
use crate::data::prepare::prepare;
use crate::data::prepared::PreparationRecord;
use crate::error::Error;
use crate::event::Event;
use crate::head::train::{TrainedHead, train_head};
use crate::identity::Identity;
use crate::job::{EMBEDDINGS, PREPARED};
use crate::measure::evaluation::Evaluation;
use crate::split::{Split, SplitCounts};
use crate::train::context::Context;
use crate::train::finished::{Finished, PRODUCER};
use crate::train::options::{Data, Embed, HeadTraining};

/// Runs every step up to the measured head.
pub(super) fn run<'a>(
    training: &'a HeadTraining<'_>,
    embed: &Embed<'_>,
    context: &Context<'_>,
) -> Result<Finished<'a>, Error> {
    let HeadTraining { model, recipe, data, .. } = training;
    let (embedded, prepared, inputs, chunk_length) = match data {
        Data::Records(records) => {
            let (embedded, prepared) = prepare_and_embed(records, embed, context)?;
            (embedded, Some(prepared), &records.inputs, records.chunk_length_bp())
        }
        Data::Embeddings(reading) => {
            let sizes = (model.nucleotide_hidden_size(), model.protein_hidden_size());
            let embedded = Embedded::read(reading, sizes)?;
            context.clear()?;
            (embedded, None, &reading.inputs, reading.chunk_length)
        }
    };
    let encoders = check_encoders(training, &embedded, chunk_length)?;
    let examples = &embedded.examples;
    let splits = examples.counts();
    (context.observer)(Event::Examples { splits, failed: embedded.rows_failed });
    let identity = Identity::default()
        .with("dnabert", &encoders.dnabert)
        .with("esm2", &encoders.esm2)
        .with("precision", &encoders.precision)
        .with("chunk length", encoders.chunk_length);
    let head = train_head(examples, recipe, &context.session(&identity))?;
    let summary = json!({
        "producer": PRODUCER,
        "data": prepared,
        "examples": counts(&embedded, &splits),
        "seed": recipe.seed,
        "recipe": recipe,
        "epochs": head.history.len(),
        "best_epoch": head.best_epoch + 1,
        "device": training.device,
        "precision": encoders.precision,
    });
    Ok(Finished {
        evaluations: evaluate(examples, &head)?,
        summary,
        bundle: bundle(model, &head, &splits, encoders.chunk_length)?,
        origin: Some(model),
        inputs,
        epoch: head.best_epoch,
        history: head.history,
    })
}

/// Chooses chunks of the records, and embeds those of either class by a run of its own.
fn prepare_and_embed(
    records: &Preparation,
    embed: &Embed<'_>,
    context: &Context<'_>,
) -> Result<(Embedded, PreparationRecord), Error> {
    let clear = || context.clear();
    let replace: Option<&dyn Fn() -> Result<(), Error>> =
        if context.starts_again() { Some(&clear) } else { None };
    let prepared = prepare(records, &context.directory.result(PREPARED), replace)?;
    (context.observer)(Event::Prepared(&prepared.record));
    context.stop.check()?;
    let runs = Class::ALL.map(|class| context.directory.result(EMBEDDINGS).join(class.name()));
    for (class, run) in Class::ALL.into_iter().zip(&runs) {
        (context.observer)(Event::Embedding(class));
        vnp_job::refuse_link(run)?;
        embed(&prepared.fasta(class), run)?;
    }
    let [virus, others] = &runs;
    let embedded = Embedded::of_prepared(&prepared, virus, others)?;
    Ok((embedded, prepared.record))
}

/// The encoders of the embeddings. The head goes into a bundle with the encoders of the model: others
/// must not have embedded.
fn check_encoders(
    training: &HeadTraining<'_>,
    embedded: &Embedded,
    chunk_length: u32,
) -> Result<Encoders, Error> {
    let HeadTraining { model, precision, .. } = training;
    let digests = model.digests();
    let Some(found) = &embedded.encoders else {
        log::warn!(
            "the files do not say which encoders made their embeddings: they are taken for those of {}",
            model.name()
        );
        return Ok(Encoders {
            dnabert: digests.dnabert.clone(),
            esm2: digests.esm2.clone(),
            precision: precision.clone(),
            chunk_length,
        });
    };
    for (encoder, found, expected) in
        [("nucleotide", &found.dnabert, &digests.dnabert), ("protein", &found.esm2, &digests.esm2)]
    {
        if found != expected {
            let (found, model, expected) =
                (found.clone(), model.name().to_owned(), expected.clone());
            return Err(Error::OtherEncoder { encoder, found, model, expected });
        }
    }
    Ok(found.clone())
}

fn evaluate(examples: &Examples, head: &TrainedHead) -> Result<Vec<Evaluation>, Error> {
    let head = Head::new(head.tensors.clone(), examples.nucleotide_size, examples.protein_size)?;
    let scores = examples.score(&head)?;
    let splits = [Split::Validation, Split::Test].into_iter();
    let has_rows = |split: &Split| examples.groups.iter().any(|group| group.split == *split);
    splits.filter(has_rows).map(|split| Evaluation::of(examples, &scores, split)).collect()
}

/// The numbers of ORFs and groups of every split, and of those left out.
fn counts(embedded: &Embedded, splits: &[SplitCounts]) -> Value {
    let splits = splits.iter().map(|SplitCounts { split, viral, others, groups }| {
        let counts = json!({ "virus_frames": viral, "others_frames": others, "groups": groups });
        (split.name().to_owned(), counts)
    });
    let mut counts: Map<String, Value> = splits.collect();
    counts.insert("frames_failed".to_owned(), json!(embedded.rows_failed));
    counts.insert("frames_left_out".to_owned(), json!(embedded.rows_left_out));
    counts.into()
}

fn bundle(
    model: &Bundle,
    head: &TrainedHead,
    splits: &[SplitCounts],
    chunk_length: u32,
) -> Result<BundleWriter, Error> {
    let mut writer = BundleWriter::of(model).with_head(head.tensors.clone())?.without_fallback();
    writer.expected_length = chunk_length;
    writer.further_lengths.clear();
    let viral: usize = splits.iter().map(|split| split.viral).sum();
    let others: usize = splits.iter().map(|split| split.others).sum();
    writer.provenance = json!(format!(
        "the encoders of {} with a head that vnp train made of {viral} viral and {others} other frames",
        model.name(),
    ));
    Ok(writer)
}
