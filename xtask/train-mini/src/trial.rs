//! One training of encoders, head and nucleotide-only head, and scores of its test split.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result};
use vnp_infer::{FallbackHead, Head, ModelOptions, Tensors};
use vnp_job::{JobDirectory, OnBadFile, Start, StopFlag};
use vnp_seq::ChunkLength;
use vnp_train::{
    Chunk, EncoderSetup, Event, Examples, Identity, JOB, JointData, Session, Split, TrainedModel,
    train_head, train_joint,
};

use super::chunks::{Encoders, Partition};
use super::settings::Settings;

/// A trained model and its nucleotide-only head.
pub(crate) struct Trained {
    pub(crate) setup: EncoderSetup,
    pub(crate) model: TrainedModel,
    pub(crate) fallback: Tensors,
    encoders: Encoders,
    head: Head,
}

/// The rows of chunks and their scores.
pub(crate) struct Scored {
    /// The rows, without their features.
    pub(crate) rows: Examples,
    pub(crate) scores: Vec<[f32; 2]>,
}

impl Trained {
    /// Trains, or resumes a training that was interrupted.
    pub(crate) fn new(
        partition: &Partition<'_>,
        settings: &Settings,
        identity: &Identity,
        work: &Path,
        log: &(dyn Fn(&str) + Sync),
    ) -> Result<Self> {
        let name = work.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let observer = |event: Event<'_>| {
            if let Event::Epoch(epoch) = event {
                let vnp_train::Epoch { epoch, training_loss, validation_loss, is_best, .. } =
                    *epoch;
                let best = if is_best { ", the best so far" } else { "" };
                log(&format!(
                    "{name}: epoch {}: loss {training_loss:.4}, validation {validation_loss:.4}{best}",
                    epoch + 1
                ));
            }
        };
        let length = ChunkLength::new(settings.chunk_length)?;
        let setup = EncoderSetup::random(&settings.joint);
        let validation = partition.with_orf(Split::Validation, length, settings.validation_chunks);
        let is_usable = |window: &[u8]| partition.is_usable(window);
        let data = JointData {
            records: &partition.corpus.records,
            groups: partition.corpus.groups.of_member(),
            splits: &partition.splits,
            is_usable: &is_usable,
            validation: &validation,
        };
        let open = |stage| JobDirectory::open(&work.join(stage), &JOB, Start::Resume, Vec::new());
        let directory = open("joint")?;
        let stop = StopFlag::default();
        let session = |directory| Session {
            directory,
            identity,
            on_bad_state: OnBadFile::Refuse,
            observer: &observer,
            stop: &stop,
            checkpoint_interval: Duration::from_secs(120),
        };
        let model = train_joint(data, &setup, &settings.joint, &session(&directory))?;
        let (dnabert, esm2) = model.encoders(&setup, &ModelOptions::default())?;
        let encoders = Encoders { dnabert, esm2 };
        let sizes = (setup.dnabert.hidden_size, setup.esm2.hidden_size);
        let head = Head::new(model.head(), sizes.0, sizes.1)?;
        let mut without_orf =
            partition.without_orf(Split::Training, length, settings.fallback_chunks);
        without_orf.extend(partition.without_orf(
            Split::Validation,
            length,
            settings.fallback_chunks,
        ));
        let examples = partition.embed_strands(&without_orf, &encoders)?;
        let directory = open("fallback")?;
        let fallback = train_head(&examples, &settings.fallback, &session(&directory))
            .with_context(|| format!("the fallback of {name}"))?;
        Ok(Self { setup, model, fallback: fallback.tensors, encoders, head })
    }

    /// The scores of chunks with ORFs.
    pub(crate) fn score(&self, partition: &Partition<'_>, chunks: &[Chunk]) -> Result<Scored> {
        let mut rows = partition.embed(chunks, &self.encoders)?;
        let scores = rows.score(&self.head)?;
        rows.features.clear();
        Ok(Scored { rows, scores })
    }

    /// The scores of chunks without an ORF: the mean of both strands, one per chunk.
    pub(crate) fn score_strands(
        &self,
        partition: &Partition<'_>,
        chunks: &[Chunk],
    ) -> Result<Scored> {
        let mut rows = partition.embed_strands(chunks, &self.encoders)?;
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
