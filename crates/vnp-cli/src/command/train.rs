//! `vnp train`: what the arguments ask for, which steps follow, and what is logged.

mod data;
mod embed;
mod joint;
mod output;
mod publish;
mod recipe;

use std::time::Duration;

use anyhow::Context;
use vnp_infer::Bundle;
use vnp_seq::ChunkLength;
use vnp_train::{
    Embedded, Encoders, Error, HeadTraining, Identity, Outcome, Prepared, Session, Split,
    train_head,
};

use super::models;
use crate::args::TrainArgs;
use crate::exit::{self, Exit};
use crate::logging::Console;
use crate::output::grouped;
use crate::progress::TrainingProgress;
use crate::signals;
use data::Data;
use joint::Joint;
use output::{Output, names};

/// `vnp train`: prepare, embed, learn, measure, write a bundle.
pub(crate) fn run(args: &TrainArgs, console: &Console) -> anyhow::Result<Exit> {
    super::use_threads(args.device.threads)?;
    let bundle = models::find(&args.model)?;
    let data = Data::of(args)?;
    let work = match args.encoders {
        Some(how) => {
            let records = joint::records(&data)?;
            Work::Encoders(Box::new(Joint::new(args, how, console, records, &bundle)?))
        }
        None => {
            let recipe = recipe::of(args);
            recipe.check()?;
            Work::Head(Training { args, console, bundle: &bundle, data: &data, recipe })
        }
    };
    let output = Output::enter(args)?;
    let result = match &work {
        Work::Head(training) => training.run(&output),
        Work::Encoders(joint) => joint.run(&output),
    };
    if let Err(error) = &result
        && !matches!(exit::of_error(error), Exit::Interrupted(_))
    {
        output.abandon();
    }
    result
}

/// What is to be trained.
enum Work<'a> {
    Head(Training<'a>),
    Encoders(Box<Joint<'a>>),
}

struct Training<'a> {
    args: &'a TrainArgs,
    console: &'a Console,
    bundle: &'a Bundle,
    data: &'a Data,
    recipe: vnp_train::HeadRecipe,
}

/// What was made of the data, or the signal that came before.
enum Ready {
    Embedded { embedded: Box<Embedded>, prepared: Option<Box<Prepared>> },
    Interrupted(usize),
}

impl Training<'_> {
    fn run(&self, output: &Output) -> anyhow::Result<Exit> {
        let stop = signals::listen()?;
        let directory = output.directory();
        let (embedded, prepared) = match self.embedded(output, &stop)? {
            Ready::Embedded { embedded, prepared } => (embedded, prepared),
            Ready::Interrupted(signal) => return Ok(interrupted(signal)),
        };
        let encoders = self.check_encoders(&embedded)?;
        tell(&embedded);
        let identity = self.identity(&encoders);
        let observer = TrainingProgress::new(self.console);
        let session = Session {
            directory,
            identity: &identity,
            start: output.start(),
            observer: &observer,
            stop: &|| stop.requested(),
            checkpoint_interval: Duration::from_secs(self.args.checkpoint_seconds),
        };
        let head = match train_head(&embedded.examples, &self.recipe, &session)? {
            Outcome::Finished(head) => head,
            Outcome::Interrupted { signal } => return Ok(interrupted(signal)),
        };
        drop(observer);
        let training = HeadTraining {
            model: self.bundle,
            encoders: &encoders,
            device: &self.args.device.device.to_string(),
            recipe: &self.recipe,
            embedded: &embedded,
            prepared: prepared.as_deref(),
            head: &head,
        };
        publish::publish(self.args, self.data.inputs(), output, &training)?;
        Ok(Exit::Done)
    }

    fn embedded(&self, output: &Output, stop: &vnp_pipeline::StopFlag) -> anyhow::Result<Ready> {
        let embedded = match self.data {
            Data::Records(inputs) => {
                let length = self.args.expected_length.unwrap_or(self.bundle.expected_length());
                let length = ChunkLength::new(length).context("--expected-length")?;
                let preparation = data::preparation(self.args, inputs, length);
                let prepared =
                    vnp_train::prepare(&preparation, &output.path().join(names::PREPARED))?;
                data::tell(&prepared);
                if let Some(signal) = stop.requested() {
                    return Ok(Ready::Interrupted(signal));
                }
                let runs = embed::Embedding {
                    args: self.args,
                    console: self.console,
                    bundle: self.bundle,
                    chunk_length: length,
                    stop,
                };
                let [virus, others] = runs.run(output, &prepared)?;
                let embedded = Box::new(Embedded::of_prepared(&prepared, &virus, &others)?);
                let prepared = Some(Box::new(prepared));
                return Ok(Ready::Embedded { embedded, prepared });
            }
            Data::Embeddings(inputs) => {
                let reading = data::reading(self.args, self.bundle);
                Embedded::read(inputs, &reading)?
            }
        };
        Ok(Ready::Embedded { embedded: Box::new(embedded), prepared: None })
    }

    /// The head goes into a bundle with these very encoders: others must not have embedded.
    fn check_encoders(&self, embedded: &Embedded) -> anyhow::Result<Encoders> {
        let digests = self.bundle.digests();
        let ours = Encoders {
            dnabert: digests.dnabert.clone(),
            esm2: digests.esm2.clone(),
            precision: self.args.device.precision.to_string(),
            chunk_length: self.args.expected_length.unwrap_or(self.bundle.expected_length()),
        };
        let Some(found) = &embedded.encoders else {
            log::warn!(
                "the files do not say which encoders made their embeddings: they are taken for those \
                 of {}",
                self.bundle.name()
            );
            return Ok(ours);
        };
        for (encoder, found, ours) in
            [("nucleotide", &found.dnabert, &ours.dnabert), ("protein", &found.esm2, &ours.esm2)]
        {
            if found != ours {
                return Err(Error::OtherEncoder {
                    encoder,
                    found: found.clone(),
                    model: self.bundle.name().to_owned(),
                    expected: ours.clone(),
                }
                .into());
            }
        }
        Ok(found.clone())
    }

    fn identity(&self, encoders: &Encoders) -> Identity {
        let Encoders { dnabert, esm2, precision, chunk_length } = encoders;
        Identity::default()
            .with("dnabert", dnabert)
            .with("esm2", esm2)
            .with("precision", precision)
            .with("chunk length", chunk_length)
    }
}

fn interrupted(signal: usize) -> Exit {
    log::warn!("interrupted by signal {signal}; the work so far is saved: continue with --resume");
    Exit::Interrupted(signal)
}

/// What there is to learn from.
fn tell(embedded: &Embedded) {
    let examples = &embedded.examples;
    for split in Split::ALL {
        let rows = examples
            .rows
            .iter()
            .filter(|row| examples.groups.get(row.group).is_some_and(|group| group.split == split));
        let (viral, others): (Vec<_>, Vec<_>) = rows.partition(|row| row.is_virus);
        let groups = examples.groups.iter().filter(|group| group.split == split).count();
        log::info!(
            "{split}: {} viral and {} other frames of {} groups",
            grouped(viral.len() as u64),
            grouped(others.len() as u64),
            grouped(groups as u64)
        );
    }
    if embedded.rows_failed > 0 {
        log::warn!("{} frames could not be embedded and are left out", embedded.rows_failed);
    }
}
