//! One training, and what its test part says.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use vnp_infer::{FallbackHead, Head, ModelOptions, Tensors};
use vnp_seq::ChunkLength;
use vnp_train::{
    Chunk, EncoderSetup, Event, Examples, Identity, JointData, Observer, Outcome, Session, Split,
    Start, TrainedModel, TrainingDirectory, train_head, train_joint,
};

use super::chunks::{Encoders, Parted};
use super::settings::Settings;

/// A trained model and its fallback.
pub(crate) struct Trained {
    pub(crate) setup: EncoderSetup,
    pub(crate) model: TrainedModel,
    pub(crate) fallback: Tensors,
    encoders: Encoders,
    head: Head,
}

/// Rows of chunks and their scores.
pub(crate) struct Scored {
    /// Without features.
    pub(crate) rows: Examples,
    pub(crate) scores: Vec<[f32; 2]>,
}

/// Tells how far a training is.
struct Teller<'a> {
    name: &'a str,
    log: &'a (dyn Fn(&str) + Sync),
}

impl Observer for Teller<'_> {
    fn event(&self, event: Event<'_>) {
        if let Event::Epoch(epoch) = event {
            let vnp_train::Epoch { epoch, training_loss, validation_loss, is_best, .. } = *epoch;
            let best = if is_best { ", the best so far" } else { "" };
            (self.log)(&format!(
                "{}: epoch {}: loss {training_loss:.4}, validation {validation_loss:.4}{best}",
                self.name,
                epoch + 1
            ));
        }
    }
}

impl Trained {
    /// Trains, or goes on where an earlier call was killed.
    pub(crate) fn new(
        parted: &Parted<'_>,
        settings: &Settings,
        identity: &Identity,
        work: &Path,
        log: &(dyn Fn(&str) + Sync),
    ) -> Result<Self> {
        let name = work.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let observer = Teller { name: &name, log };
        let length = ChunkLength::new(settings.chunk_length)?;
        let setup = EncoderSetup::random(&settings.joint);
        let validation = parted.open(Split::Validation, length, settings.validation_chunks);
        let is_usable = |window: &[u8]| parted.is_usable(window);
        let data = JointData {
            records: &parted.corpus.records,
            groups: parted.corpus.groups.of_member(),
            splits: &parted.parts,
            is_usable: &is_usable,
            validation: &validation,
        };
        let directory = TrainingDirectory::open(&work.join("joint"))?;
        let session = |directory| Session {
            directory,
            identity,
            start: Start::Resume,
            observer: &observer,
            stop: &|| None,
            checkpoint_interval: Duration::from_secs(120),
        };
        let trained = train_joint(data, &setup, &settings.joint, &session(&directory))?;
        let Outcome::Finished(model) = trained else { bail!("{name} was interrupted") };
        let (dnabert, esm2) = model.encoders(&setup, &ModelOptions::default())?;
        let encoders = Encoders { dnabert, esm2 };
        let sizes = (setup.dnabert.hidden_size, setup.esm2.hidden_size);
        let head = Head::new(model.head(), sizes.0, sizes.1)?;
        let mut closed = parted.closed(Split::Training, length, settings.fallback_chunks);
        closed.extend(parted.closed(Split::Validation, length, settings.fallback_chunks));
        let examples = parted.embed_strands(&closed, &encoders)?;
        let directory = TrainingDirectory::open(&work.join("fallback"))?;
        let trained = train_head(&examples, &settings.fallback, &session(&directory))
            .with_context(|| format!("the fallback of {name}"))?;
        let Outcome::Finished(fallback) = trained else { bail!("{name} was interrupted") };
        Ok(Self { setup, model, fallback: fallback.tensors, encoders, head })
    }

    /// The scores of chunks with open frames.
    pub(crate) fn score(&self, parted: &Parted<'_>, chunks: &[Chunk]) -> Result<Scored> {
        let mut rows = parted.embed(chunks, &self.encoders)?;
        let scores = rows.score(&self.head)?;
        rows.features.clear();
        Ok(Scored { rows, scores })
    }

    /// The scores of chunks without open frames: one a chunk, the mean of its strands'.
    pub(crate) fn score_strands(&self, parted: &Parted<'_>, chunks: &[Chunk]) -> Result<Scored> {
        let mut rows = parted.embed_strands(chunks, &self.encoders)?;
        let head = FallbackHead::new(self.fallback.clone(), rows.nucleotide_size)?;
        let strands = head.score(&rows.features)?;
        let mean = |pair: &[[f32; 2]]| {
            let virus = (pair[0][1] + pair[1][1]) / 2.0;
            [1.0 - virus, virus]
        };
        let scores = strands.chunks_exact(2).map(mean).collect();
        rows.features.clear();
        rows.rows = rows.rows.into_iter().step_by(2).collect();
        Ok(Scored { rows, scores })
    }
}
