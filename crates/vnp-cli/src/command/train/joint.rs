use std::time::Duration;

use anyhow::{Context, ensure};
use serde_json::{Value, json};
use vnp_infer::{Bundle, BundleWriter, Head, ModelOptions};
use vnp_seq::ChunkLength;
use vnp_train::{
    Class, Corpus, EncoderSetup, Evaluation, Examples, Identity, Input, JointData, JointRecipe,
    LengthShare, Outcome, Session, Split, TrainedModel, train_joint,
};

use super::interrupted;
use super::made::{bundle_name, described, inputs, publish, put, tell};
use super::output::{Output, names};
use crate::args::{EncodersFrom, TrainArgs};
use crate::exit::Exit;
use crate::logging::Console;
use crate::output::grouped;
use crate::progress::TrainingProgress;
use crate::signals;

/// The chunk length of encoders that begin at random, unless another is asked for.
const DEFAULT_LENGTH: u32 = 500;

/// `vnp train --encoders`: both encoders and the head, from records.
pub(super) struct Joint<'a> {
    args: &'a TrainArgs,
    console: &'a Console,
    inputs: &'a [Input],
    /// The bundle to go on from.
    bundle: Option<&'a Bundle>,
    recipe: JointRecipe,
    length: ChunkLength,
}

impl<'a> Joint<'a> {
    pub(super) fn new(
        args: &'a TrainArgs,
        how: EncodersFrom,
        console: &'a Console,
        inputs: &'a [Input],
        bundle: &'a Bundle,
    ) -> anyhow::Result<Self> {
        let bundle = (how == EncodersFrom::FineTune).then_some(bundle);
        let length = bundle.map_or(DEFAULT_LENGTH, Bundle::expected_length);
        let length = args.expected_length.unwrap_or(length);
        let mut recipe = match &args.encoder_recipe {
            Some(path) => {
                let text = fs_err::read(path)?;
                serde_json::from_slice(&text).with_context(|| path.display().to_string())?
            }
            // Mostly chunks of the length asked for, and some shorter ones.
            None => JointRecipe {
                lengths: vec![
                    LengthShare { length, share: 0.75 },
                    LengthShare { length: (length * 3 / 5).max(6), share: 0.25 },
                ],
                ..JointRecipe::default()
            },
        };
        recipe.seed = args.seed;
        let length = ChunkLength::new(length).context("--expected-length")?;
        Ok(Self { args, console, inputs, bundle, recipe, length })
    }

    pub(super) fn run(&self, output: &Output) -> anyhow::Result<Exit> {
        let stop = signals::listen()?;
        let setup = match self.bundle {
            Some(bundle) => EncoderSetup::of_bundle(bundle)?,
            None => EncoderSetup::random(&self.recipe),
        };
        let preparation = super::data::preparation(self.args, self.inputs, self.length);
        let corpus = Corpus::read(&preparation)?;
        tell_corpus(&corpus);
        let observer = TrainingProgress::new(self.console);
        let identity = self.identity(&corpus);
        let session = Session {
            directory: output.directory(),
            identity: &identity,
            start: output.start(),
            observer: &observer,
            stop: &|| stop.requested(),
            checkpoint_interval: Duration::from_secs(self.args.checkpoint_seconds),
        };
        let validation = corpus.of_split(Split::Validation);
        let is_usable = |window: &[u8]| corpus.is_usable(window);
        let data = JointData::of(&corpus, &validation, &is_usable);
        let model = match train_joint(data, &setup, &self.recipe, &session)? {
            Outcome::Finished(model) => model,
            Outcome::Interrupted { signal } => return Ok(interrupted(signal)),
        };
        drop(observer);
        let measured = measure(&corpus, &setup, &model)?;
        output.directory().write_history(&model.history)?;
        output.directory().write_metrics(&measured)?;
        measured.iter().for_each(tell);
        let measured = Evaluation::json(&measured)?;
        let bundle = self.write_bundle(output, &corpus, &setup, &model, &measured)?;
        let record = self.record(&bundle, &corpus, &model, &measured);
        let record = serde_json::to_string_pretty(&record)? + "\n";
        publish(&output.path().join(names::TRAIN), &record)?;
        let (epochs, best) = (model.history.len(), model.epoch + 1);
        log::info!("of {epochs} epochs, number {best} was kept");
        Ok(Exit::Done)
    }

    fn identity(&self, corpus: &Corpus) -> Identity {
        let data = corpus.identity.iter();
        let identity = data.fold(Identity::default(), |identity, (field, value)| {
            identity.with(format!("data.{field}"), value)
        });
        match self.bundle.map(Bundle::digests) {
            Some(digests) => identity.with("dnabert", &digests.dnabert).with("esm2", &digests.esm2),
            None => identity.with("encoders", "from scratch"),
        }
    }

    fn write_bundle(
        &self,
        output: &Output,
        corpus: &Corpus,
        setup: &EncoderSetup,
        model: &TrainedModel,
        measured: &Value,
    ) -> anyhow::Result<Bundle> {
        let mut writer = BundleWriter::new(
            (setup.esm2.clone(), model.esm2()),
            (setup.dnabert.clone(), model.dnabert()),
            setup.tokenizer.clone(),
            model.head(),
        )?;
        writer.name = bundle_name(self.args);
        let length = u32::try_from(self.length.get())?;
        writer.expected_length = length;
        let lengths = self.recipe.lengths.iter().map(|choice| choice.length);
        writer.further_lengths = lengths.filter(|other| *other != length).collect();
        writer.licence = self.bundle.map(|bundle| bundle.licence().to_owned()).unwrap_or_default();
        writer.provenance = json!({
            "summary": "encoders and head that vnp train made together",
            "encoders": self.bundle.map_or(json!("from scratch"), |bundle| json!({
                "bundle": bundle.name(), "provenance": bundle.provenance(),
            })),
            "training": self.training(corpus, model),
            "test": measured,
        });
        let directory = output.path().join(names::BUNDLE);
        let bundle = put(&writer, &directory)?;
        log::info!("bundle {} is in {}; metrics are beside it", bundle.name(), directory.display());
        Ok(bundle)
    }

    fn training(&self, corpus: &Corpus, model: &TrainedModel) -> Value {
        json!({
            "producer": concat!("vnp ", env!("CARGO_PKG_VERSION")),
            "data": corpus.identity,
            "chunks": corpus.tally,
            "recipe": self.recipe,
            "epochs": model.history.len(),
            "epoch": model.epoch + 1,
        })
    }

    fn record(
        &self,
        bundle: &Bundle,
        corpus: &Corpus,
        model: &TrainedModel,
        measured: &Value,
    ) -> Value {
        json!({
            "bundle": described(bundle),
            "model": self.bundle.map(|_| &self.args.model),
            "inputs": inputs(self.args),
            "training": self.training(corpus, model),
            "measured": measured,
        })
    }
}

/// The records to learn from; embeddings are of encoders as they are.
pub(super) fn records(data: &super::data::Data) -> anyhow::Result<&[Input]> {
    let super::data::Data::Records(inputs) = data else {
        anyhow::bail!("--encoders learns from records: give FASTA, FASTQ or GenBank files");
    };
    ensure!(!inputs.is_empty(), "nothing to learn from");
    Ok(inputs)
}

/// The parts that were not learned from, by the encoders as they will run. Validation flatters a
/// little: the epoch was chosen by it.
fn measure(
    corpus: &Corpus,
    setup: &EncoderSetup,
    model: &TrainedModel,
) -> anyhow::Result<Vec<Evaluation>> {
    let (dnabert, esm2) = model.encoders(setup, &ModelOptions::default())?;
    let head = Head::new(model.head(), setup.dnabert.hidden_size, setup.esm2.hidden_size)?;
    let mut measured = Vec::new();
    for split in [Split::Validation, Split::Test] {
        let chunks = corpus.of_split(split);
        if chunks.is_empty() {
            continue;
        }
        let examples = Examples::embed(&chunks, &corpus.groups, &corpus.splits, (&dnabert, &esm2))?;
        measured.push(Evaluation::of(&examples, &examples.score(&head)?, split)?);
    }
    Ok(measured)
}

fn tell_corpus(corpus: &Corpus) {
    for class in Class::ALL {
        let of = |split| {
            let chunks = corpus.chunks.iter();
            let own =
                chunks.filter(|chunk| Class::of(chunk.is_virus) == class && chunk.split == split);
            format!("{} {split}", grouped(own.count() as u64))
        };
        log::info!("{class}: chunks: {}", Split::ALL.map(of).join(", "));
    }
}
