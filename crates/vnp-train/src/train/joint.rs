//! Trains both encoders and the head together: choose chunks, learn, measure.

use serde_json::json;
use vnp_infer::{Bundle, BundleWriter, Head, ModelOptions};

use crate::data::corpus::Corpus;
use crate::data::examples::Examples;
use crate::data::prepared::PreparationRecord;
use crate::error::Error;
use crate::event::Event;
use crate::identity::Identity;
use crate::joint::data::JointData;
use crate::joint::model::TrainedModel;
use crate::joint::setup::EncoderSetup;
use crate::joint::train::train_joint;
use crate::measure::evaluation::Evaluation;
use crate::split::Split;
use crate::train::context::Context;
use crate::train::finished::{Finished, PRODUCER};
use crate::train::options::JointTraining;

/// Runs every step up to the measured model.
pub(super) fn run<'a>(
    training: &'a JointTraining<'_>,
    context: &Context<'_>,
) -> Result<Finished<'a>, Error> {
    let JointTraining { origin, recipe, records } = training;
    let setup = match origin {
        Some(bundle) => EncoderSetup::of_bundle(bundle)?,
        None => EncoderSetup::random(recipe),
    };
    let corpus = Corpus::read(records)?;
    context.clear()?;
    (context.observer)(Event::Prepared(&PreparationRecord::of(&corpus)));
    let validation = corpus.of_split(Split::Validation);
    let is_usable = |window: &[u8]| corpus.is_usable(window);
    let data = JointData {
        records: &corpus.records,
        groups: corpus.groups.of_member(),
        splits: &corpus.splits,
        is_usable: &is_usable,
        validation: &validation,
    };
    let identity = identity(&corpus, *origin);
    let model = train_joint(data, &setup, recipe, &context.session(&identity))?;
    let summary = json!({
        "producer": PRODUCER,
        "data": corpus.identity,
        "chunks": corpus.tally,
        "recipe": recipe,
        "epochs": model.history.len(),
        "epoch": model.epoch + 1,
    });
    Ok(Finished {
        evaluations: evaluate(&corpus, &setup, &model)?,
        summary,
        bundle: bundle(training, &setup, &model)?,
        origin: *origin,
        inputs: &records.inputs,
        epoch: model.epoch,
        history: model.history,
    })
}

fn identity(corpus: &Corpus, origin: Option<&Bundle>) -> Identity {
    let data = corpus.identity.iter();
    let identity = data.fold(Identity::default(), |identity, (field, value)| {
        identity.with(format!("data.{field}"), value)
    });
    match origin.map(Bundle::digests) {
        Some(digests) => identity.with("dnabert", &digests.dnabert).with("esm2", &digests.esm2),
        None => identity.with("encoders", "from scratch"),
    }
}

/// The encoders embed as they will in `vnp predict`.
fn evaluate(
    corpus: &Corpus,
    setup: &EncoderSetup,
    model: &TrainedModel,
) -> Result<Vec<Evaluation>, Error> {
    let (dnabert, esm2) = model.encoders(setup, &ModelOptions::default())?;
    let head = Head::new(model.head(), setup.dnabert.hidden_size, setup.esm2.hidden_size)?;
    let mut evaluations = Vec::new();
    for split in [Split::Validation, Split::Test] {
        let chunks = corpus.of_split(split);
        if !chunks.is_empty() {
            let encoders = (&dnabert as _, &esm2 as _);
            let examples = Examples::embed(&chunks, &corpus.groups, &corpus.splits, encoders)?;
            evaluations.push(Evaluation::of(&examples, &examples.score(&head)?, split)?);
        }
    }
    Ok(evaluations)
}

fn bundle(
    training: &JointTraining<'_>,
    setup: &EncoderSetup,
    model: &TrainedModel,
) -> Result<BundleWriter, Error> {
    let mut writer = BundleWriter::new(
        (setup.esm2.clone(), model.esm2()),
        (setup.dnabert.clone(), model.dnabert()),
        setup.tokenizer.clone(),
        model.head(),
    )?;
    let chunk_length = training.records.chunk_length_bp();
    writer.expected_length = chunk_length;
    let lengths = training.recipe.lengths.iter().map(|choice| choice.length);
    writer.further_lengths = lengths.filter(|other| *other != chunk_length).collect();
    writer.licence = training.origin.map_or_else(String::new, |bundle| bundle.licence().to_owned());
    writer.provenance = json!("encoders and head that vnp train made together");
    Ok(writer)
}
