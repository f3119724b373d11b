//! A head for the encoders of a bundle, ready to be published.

use serde_json::{Map, Value, json};
use vnp_infer::{Bundle, BundleWriter, Head};

use crate::data::class::Class;
use crate::data::embedded::source::{Embedded, Encoders};
use crate::data::prepared::Prepared;
use crate::error::Error;
use crate::head::recipe::HeadRecipe;
use crate::head::train::TrainedHead;
use crate::learn::epoch::Epoch;
use crate::measure::evaluation::Evaluation;
use crate::publish::{PRODUCER, Training};
use crate::split::Split;

/// A trained head with everything that it was made from.
#[derive(Debug, Clone, Copy)]
pub struct HeadTraining<'a> {
    /// The bundle with the encoders.
    pub model: &'a Bundle,
    /// The encoders that embedded the examples.
    pub encoders: &'a Encoders,
    /// The device that embedded the examples, by name.
    pub device: &'a str,
    /// The recipe.
    pub recipe: &'a HeadRecipe,
    /// The examples.
    pub embedded: &'a Embedded,
    /// The chunks that were embedded; `None` for existing embeddings.
    pub prepared: Option<&'a Prepared>,
    /// The head.
    pub head: &'a TrainedHead,
}

impl Training for HeadTraining<'_> {
    fn history(&self) -> &[Epoch] {
        &self.head.history
    }

    fn epoch(&self) -> usize {
        self.head.best_epoch
    }

    fn evaluate(&self) -> Result<Vec<Evaluation>, Error> {
        let examples = &self.embedded.examples;
        let tensors = self.head.tensors.clone();
        let head = Head::new(tensors, examples.nucleotide_size, examples.protein_size)?;
        let scores = examples.score(&head)?;
        let splits = [Split::Validation, Split::Test].into_iter();
        let has_rows = |split: &Split| examples.groups.iter().any(|group| group.split == *split);
        splits.filter(has_rows).map(|split| Evaluation::of(examples, &scores, split)).collect()
    }

    fn summary(&self) -> Value {
        json!({
            "producer": PRODUCER,
            "data": self.prepared.map(|prepared| &prepared.record),
            "examples": self.count(),
            "seed": self.recipe.seed,
            "recipe": self.recipe,
            "epochs": self.head.history.len(),
            "best_epoch": self.head.best_epoch + 1,
            "device": self.device,
            "precision": self.encoders.precision,
        })
    }

    fn bundle(&self) -> Result<BundleWriter, Error> {
        let mut writer =
            BundleWriter::of(self.model).with_head(self.head.tensors.clone())?.without_fallback();
        writer.expected_length = self.encoders.chunk_length;
        writer.further_lengths.clear();
        let rows = &self.embedded.examples.rows;
        let viral = rows.iter().filter(|row| row.is_virus).count();
        writer.provenance = json!(format!(
            "the encoders of {} with a head that vnp train made of {viral} viral and {} other frames",
            self.model.name(),
            rows.len() - viral
        ));
        Ok(writer)
    }

    fn origin(&self) -> Option<&Bundle> {
        Some(self.model)
    }
}

impl HeadTraining<'_> {
    /// The numbers of rows and groups of every split.
    fn count(&self) -> Value {
        let Embedded { examples, rows_failed, rows_left_out, .. } = self.embedded;
        let splits = Split::ALL.map(|split| {
            let rows = |class| {
                let rows = examples.rows.iter().filter(|row| Class::of(row.is_virus) == class);
                rows.filter(|row| examples.split(row) == Some(split)).count()
            };
            let groups = examples.groups.iter().filter(|group| group.split == split).count();
            let [virus, others] = Class::ALL.map(rows);
            let counts =
                json!({ "virus_frames": virus, "others_frames": others, "groups": groups });
            (split.name().to_owned(), counts)
        });
        let mut counts = Map::from_iter(splits);
        counts.insert("frames_failed".to_owned(), json!(rows_failed));
        counts.insert("frames_left_out".to_owned(), json!(rows_left_out));
        counts.into()
    }
}
