//! Encoders and head that were trained together, ready to be published.

use serde_json::{Value, json};
use vnp_infer::{Bundle, BundleWriter, Head, ModelOptions};

use crate::data::corpus::Corpus;
use crate::data::examples::Examples;
use crate::error::Error;
use crate::joint::model::TrainedModel;
use crate::joint::recipe::JointRecipe;
use crate::joint::setup::EncoderSetup;
use crate::learn::epoch::Epoch;
use crate::measure::evaluation::Evaluation;
use crate::publish::{PRODUCER, Training};
use crate::split::Split;

/// Trained encoders and head with everything that they were made from.
#[derive(Debug, Clone, Copy)]
pub struct JointTraining<'a> {
    /// The bundle that the encoders come from; `None` for encoders from scratch.
    pub origin: Option<&'a Bundle>,
    /// The records.
    pub corpus: &'a Corpus,
    /// The length of the chunks that choose the epoch and measure, in bp.
    pub chunk_length: u32,
    /// The recipe.
    pub recipe: &'a JointRecipe,
    /// The encoders before training.
    pub setup: &'a EncoderSetup,
    /// The result.
    pub model: &'a TrainedModel,
}

impl Training for JointTraining<'_> {
    fn history(&self) -> &[Epoch] {
        &self.model.history
    }

    fn epoch(&self) -> usize {
        self.model.epoch
    }

    /// The encoders embed as they will in `vnp predict`.
    fn evaluate(&self) -> Result<Vec<Evaluation>, Error> {
        let Self { corpus, setup, model, .. } = self;
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

    fn summary(&self) -> Value {
        json!({
            "producer": PRODUCER,
            "data": self.corpus.identity,
            "chunks": self.corpus.tally,
            "recipe": self.recipe,
            "epochs": self.model.history.len(),
            "epoch": self.model.epoch + 1,
        })
    }

    fn bundle(&self) -> Result<BundleWriter, Error> {
        let Self { setup, model, chunk_length, .. } = self;
        let mut writer = BundleWriter::new(
            (setup.esm2.clone(), model.esm2()),
            (setup.dnabert.clone(), model.dnabert()),
            setup.tokenizer.clone(),
            model.head(),
        )?;
        writer.expected_length = *chunk_length;
        let lengths = self.recipe.lengths.iter().map(|choice| choice.length);
        writer.further_lengths = lengths.filter(|other| other != chunk_length).collect();
        writer.licence = self.origin.map_or_else(String::new, |bundle| bundle.licence().to_owned());
        writer.provenance = json!("encoders and head that vnp train made together");
        Ok(writer)
    }

    fn origin(&self) -> Option<&Bundle> {
        self.origin
    }
}
