//! A head, trained on embeddings.

mod batches;
mod learner;
mod standard;

use sha2::{Digest, Sha256};
use vnp_infer::Tensors;

use crate::fit::{Epoch, Fitted, fit};
use crate::learner::Learner;
use crate::recipe::HeadRecipe;
use crate::session::{Outcome, Session};
use crate::snapshot::Snapshot;
use crate::{Error, Examples, Part, hex};
use learner::HeadLearner;

/// A head, and how it came to be.
#[derive(Debug, Clone)]
pub struct TrainedHead {
    /// For [`vnp_infer::Head::new`] and for a bundle.
    pub tensors: Tensors,
    /// The same, to look at.
    pub weights: Snapshot,
    /// Every epoch in order.
    pub history: Vec<Epoch>,
    /// The epoch that the tensors are of, from 0.
    pub best_epoch: usize,
}

/// Trains a head on the examples' training part and keeps the weights of the epoch with the smallest
/// loss on their validation part; the test part is not looked at.
///
/// The state is saved in the session's directory and continued from there. It belongs to the
/// session's identity, every setting of the recipe, and the digest of the examples.
///
/// # Errors
/// [`Error::BadSetting`]; [`Error::NoRows`] where a class is missing in a part; [`Error::Mismatch`]
/// for examples that contradict themselves; [`Error::Diverged`]; [`Error::TrainingExists`],
/// [`Error::OtherIdentity`] and [`Error::BadState`] for a state that is there; what fails in saving.
pub fn train_head(
    examples: &Examples,
    recipe: &HeadRecipe,
    session: &Session<'_>,
) -> Result<Outcome<TrainedHead>, Error> {
    recipe.check()?;
    examples.check()?;
    for part in [Part::Training, Part::Validation] {
        for (class, is_virus) in [("viral", true), ("other", false)] {
            let mut rows = examples.rows_of(part).into_iter();
            let has = |row: usize| examples.rows.get(row).is_some_and(|r| r.is_virus == is_virus);
            if !rows.any(has) {
                return Err(Error::NoRows { part, class });
            }
        }
    }
    let identity = recipe.identify(session.identity.clone()).with("examples", digest(examples));
    let session = Session { identity: &identity, ..*session };
    let mut learner = HeadLearner::new(examples, recipe)?;
    let Fitted { best, best_epoch, history, .. } =
        match fit(&mut learner, &recipe.schedule, &session)? {
            Outcome::Finished(fitted) => fitted,
            Outcome::Interrupted { signal } => return Ok(Outcome::Interrupted { signal }),
        };
    debug_assert_eq!(learner.parameters().snapshot().ok().as_ref(), Some(&best));
    let mut weights = best;
    if let Some(standard) = &learner.standard {
        standard.absorb(&mut weights)?;
    }
    let tensors = weights.tensors("");
    Ok(Outcome::Finished(TrainedHead { tensors, weights, history, best_epoch }))
}

/// SHA-256 of everything that a head may depend on.
fn digest(examples: &Examples) -> String {
    let mut hash = Sha256::new();
    let Examples { nucleotide_size, protein_size, features, rows, groups, chunks: _ } = examples;
    for count in [*nucleotide_size, *protein_size, rows.len(), groups.len()] {
        hash.update((count as u64).to_le_bytes());
    }
    for group in groups {
        hash.update([group.part as u8]);
    }
    for row in rows {
        hash.update((row.id.len() as u64).to_le_bytes());
        hash.update(row.id.as_bytes());
        hash.update([u8::from(row.is_virus)]);
        hash.update((row.group as u64).to_le_bytes());
    }
    let mut bytes = Vec::new();
    for block in features.chunks(1 << 16) {
        bytes.clear();
        bytes.extend(block.iter().flat_map(|x| x.to_le_bytes()));
        hash.update(&bytes);
    }
    hex(&hash.finalize())
}

#[cfg(test)]
mod tests;
