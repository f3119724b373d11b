//! Trains both encoders and the head together.

use crate::error::Error;
use crate::joint::data::JointData;
use crate::joint::learner::JointLearner;
use crate::joint::model::TrainedModel;
use crate::joint::recipe::{JointRecipe, Keep};
use crate::joint::setup::EncoderSetup;
use crate::learn::fit::{Fitted, fit};
use crate::session::Session;

/// Trains both encoders and the head on the training records and keeps the weights of the epoch
/// with the smallest loss on the validation chunks, or of the last epoch, as the recipe says; records
/// of the test split are not used.
///
/// The state is saved in the session's directory and continued from there. `identity` of the
/// session must name the data; the recipe is added here.
///
/// # Errors
/// As [`train_head`](crate::train_head); [`Error::Model`] for impossible sizes.
pub fn train_joint(
    data: JointData<'_>,
    encoders: &EncoderSetup,
    recipe: &JointRecipe,
    session: &Session<'_>,
) -> Result<TrainedModel, Error> {
    recipe.check()?;
    let identity = recipe.identify(session.identity.clone())?;
    let session = Session { identity: &identity, ..*session };
    let mut learner = JointLearner::new(data, encoders, recipe)?;
    let Fitted { best, last, best_epoch, history } = fit(&mut learner, &recipe.schedule, &session)?;
    let (weights, epoch) = match recipe.keep {
        Keep::Best => (best, best_epoch),
        Keep::Last => (last, history.len().saturating_sub(1)),
    };
    Ok(TrainedModel { weights, history, epoch })
}

#[cfg(test)]
mod tests;
