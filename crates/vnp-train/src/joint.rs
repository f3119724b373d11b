//! Both encoders and the head, trained together.
//!
//! For small encoders, from scratch or from a bundle's: every step draws windows from the training
//! records, as likely viral as not, changes them as evolution might, and learns from their open
//! frames. The networks are those of inference.

mod augment;
mod initial;
mod learner;
mod recipe;
#[cfg(test)]
mod tests;
mod tokenizer;
mod verdict;
mod windows;

use vnp_infer::{Bundle, Dnabert, DnabertConfig, Esm2, Esm2Config, ModelOptions, Tensors};

use crate::fit::{Epoch, Fitted, fit};
use crate::records::LabelledRecord;
use crate::session::{Outcome, Session};
use crate::snapshot::Snapshot;
use crate::{Chunk, Error, Part};
use learner::JointLearner;
pub use recipe::{Augmentation, EncoderSize, JointRecipe, Keep, LengthShare};
pub use tokenizer::word_tokenizer;

/// Encoders with more are not trained here: every step keeps all that its gradient needs, and the
/// arithmetic is on a CPU.
const MOST_PARAMETERS: usize = 50_000_000;

/// What is learned from.
#[derive(Clone, Copy)]
pub struct JointData<'a> {
    /// All records.
    pub records: &'a [LabelledRecord],
    /// The group of each.
    pub groups: &'a [usize],
    /// The part of each group.
    pub parts: &'a [Part],
    /// Whether a window of a training record may be learned from: none should share a word with the
    /// other parts.
    pub is_usable: &'a (dyn Fn(&[u8]) -> bool + Sync),
    /// What chooses the epoch.
    pub validation: &'a [Chunk],
}

/// The encoders to train: sizes, tokens, and what they begin with.
#[derive(Debug, Clone)]
pub struct EncoderSetup {
    /// The nucleotide encoder.
    pub dnabert: DnabertConfig,
    /// Its `tokenizer.json`.
    pub tokenizer: Vec<u8>,
    /// The protein encoder.
    pub esm2: Esm2Config,
    /// Values to begin with, named with `dnabert.` and `esm2.` before the names in a bundle;
    /// random ones where there are none.
    pub initial: Option<Snapshot>,
}

/// Encoders and head, and how they came to be.
#[derive(Debug, Clone)]
pub struct TrainedModel {
    /// All values: `dnabert.*`, `esm2.*`, `head.*`.
    pub weights: Snapshot,
    /// Every epoch in order.
    pub history: Vec<Epoch>,
    /// The epoch that the weights are of, from 0.
    pub epoch: usize,
}

impl EncoderSetup {
    /// Small encoders of a recipe's sizes that begin with random values.
    #[must_use]
    pub fn random(recipe: &JointRecipe) -> Self {
        let (tokenizer, tokens) = word_tokenizer();
        Self {
            dnabert: recipe.dnabert_config(tokens),
            tokenizer: tokenizer.into_bytes(),
            esm2: recipe.esm2_config(),
            initial: None,
        }
    }

    /// The encoders of a bundle, to go on from.
    ///
    /// # Errors
    /// [`Error::TooManyParameters`]; [`Error::Model`] where the bundle can no longer be read.
    pub fn of_bundle(bundle: &Bundle) -> Result<Self, Error> {
        let (dnabert, esm2) = (bundle.dnabert_config().clone(), bundle.esm2_config().clone());
        let sizes = dnabert.tensors().chain(esm2.tensors()).map(|spec| spec.shape);
        let found: usize = sizes.map(|shape| shape.iter().product::<usize>()).sum();
        if found > MOST_PARAMETERS {
            return Err(Error::TooManyParameters { found, most: MOST_PARAMETERS });
        }
        let mut initial = Snapshot::default();
        for (prefix, values) in
            [(learner::DNABERT, bundle.dnabert_values()?), (learner::ESM2, bundle.esm2_values()?)]
        {
            for (spec, values) in values {
                initial.insert(&format!("{prefix}{}", spec.name), &spec.shape, values);
            }
        }
        let tokenizer = bundle.tokenizer().to_owned();
        Ok(Self { dnabert, tokenizer, esm2, initial: Some(initial) })
    }
}

impl TrainedModel {
    /// The trained encoders, as they run: nucleotide and protein.
    ///
    /// # Errors
    /// Those of loading.
    pub fn encoders(
        &self,
        setup: &EncoderSetup,
        options: &ModelOptions,
    ) -> Result<(Dnabert, Esm2), Error> {
        let dnabert = Dnabert::new(&setup.dnabert, self.dnabert(), &setup.tokenizer, options)?;
        Ok((dnabert, Esm2::new(&setup.esm2, self.esm2(), options)?))
    }

    /// The nucleotide encoder's tensors for a bundle, in f16.
    #[must_use]
    pub fn dnabert(&self) -> Tensors {
        self.weights.half_tensors(learner::DNABERT)
    }

    /// The protein encoder's, in f16.
    #[must_use]
    pub fn esm2(&self) -> Tensors {
        self.weights.half_tensors(learner::ESM2)
    }

    /// The head's, in f32.
    #[must_use]
    pub fn head(&self) -> Tensors {
        self.weights.tensors(learner::HEAD)
    }
}

/// Trains both encoders and the head on the training records and keeps the weights of the epoch
/// with the smallest loss on the validation chunks, or of the last epoch, as the recipe says; records
/// of the test part are not looked at.
///
/// The state is saved in the session's directory and continued from there. `identity` of the
/// session must name the data; the recipe is added here.
///
/// # Errors
/// As [`train_head`](crate::train_head); [`Error::Model`] for sizes that cannot be.
pub fn train_joint(
    data: JointData<'_>,
    encoders: &EncoderSetup,
    recipe: &JointRecipe,
    session: &Session<'_>,
) -> Result<Outcome<TrainedModel>, Error> {
    recipe.check()?;
    let identity = recipe.identify(session.identity.clone());
    let session = Session { identity: &identity, ..*session };
    let mut learner = JointLearner::new(data, encoders, recipe)?;
    Ok(match fit(&mut learner, &recipe.schedule, &session)? {
        Outcome::Finished(Fitted { best, last, best_epoch, history }) => {
            let (weights, epoch) = match recipe.keep {
                Keep::Best => (best, best_epoch),
                Keep::Last => (last, history.len().saturating_sub(1)),
            };
            Outcome::Finished(TrainedModel { weights, history, epoch })
        }
        Outcome::Interrupted { signal } => Outcome::Interrupted { signal },
    })
}
