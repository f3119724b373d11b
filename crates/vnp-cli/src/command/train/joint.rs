//! `vnp train --encoders`: both encoders and the head, from records.

use std::time::Duration;

use anyhow::{Context, ensure};
use vnp_infer::Bundle;
use vnp_seq::ChunkLength;
use vnp_train::{
    Class, Corpus, EncoderSetup, Identity, Input, JointData, JointRecipe, JointTraining,
    LengthShare, Outcome, Session, Split, train_joint,
};

use super::interrupted;
use super::output::Output;
use super::publish::publish;
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
    /// The bundle whose encoders are trained further.
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
        let training = JointTraining {
            origin: self.bundle,
            corpus: &corpus,
            chunk_length: u32::try_from(self.length.get())?,
            recipe: &self.recipe,
            setup: &setup,
            model: &model,
        };
        publish(self.args, self.inputs, output, &training)?;
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
}

/// The records to learn from; embeddings are of encoders as they are.
pub(super) fn records(data: &super::data::Data) -> anyhow::Result<&[Input]> {
    let super::data::Data::Records(inputs) = data else {
        anyhow::bail!("--encoders learns from records: give FASTA, FASTQ or GenBank files");
    };
    ensure!(!inputs.is_empty(), "nothing to learn from");
    Ok(inputs)
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
