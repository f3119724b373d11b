//! Trains a head on embeddings.

use sha2::{Digest, Sha256};
use vnp_infer::Tensors;

use crate::data::examples::Examples;
use crate::error::Error;
use crate::head::learner::HeadLearner;
use crate::head::recipe::HeadRecipe;
use crate::learn::epoch::Epoch;
use crate::learn::fit::{Fitted, fit};
use crate::learn::learner::Learner;
use crate::learn::snapshot::Snapshot;
use crate::session::Session;
use crate::split::Split;

/// A trained head with its history.
#[derive(Debug, Clone)]
pub struct TrainedHead {
    /// The tensors, for [`vnp_infer::Head::new`] and for a bundle.
    pub tensors: Tensors,
    /// The same values by name.
    pub weights: Snapshot,
    /// The epochs in order.
    pub history: Vec<Epoch>,
    /// The epoch that the tensors come from, from 0.
    pub best_epoch: usize,
}

/// Trains a head on the examples' training split and keeps the weights of the epoch with the smallest
/// loss on their validation split; the test split is not used.
///
/// The state is saved in the session's directory and continued from there. It belongs to the
/// session's identity, every setting of the recipe, and the digest of the examples.
///
/// # Errors
/// [`Error::BadSetting`]; [`Error::NoRows`] where a class is missing in a split; [`Error::Mismatch`]
/// for inconsistent examples; [`Error::Diverged`]; [`Error::BadState`] and
/// [`vnp_job::Error::OtherIdentity`] for an existing state; those of saving; [`Error::Interrupted`]
/// once the state is saved.
pub fn train_head(
    examples: &Examples,
    recipe: &HeadRecipe,
    session: &Session<'_>,
) -> Result<TrainedHead, Error> {
    recipe.check()?;
    examples.check()?;
    for split in [Split::Training, Split::Validation] {
        for (class, is_virus) in [("viral", true), ("other", false)] {
            let mut rows = examples.rows_of(split).into_iter();
            let has = |row: usize| examples.rows.get(row).is_some_and(|r| r.is_virus == is_virus);
            if !rows.any(has) {
                return Err(Error::NoRows { split, class });
            }
        }
    }
    let identity = recipe.identify(session.identity.clone())?.with("examples", digest(examples));
    let session = Session { identity: &identity, ..*session };
    let mut learner = HeadLearner::new(examples, recipe)?;
    let Fitted { best, best_epoch, history, .. } = fit(&mut learner, &recipe.schedule, &session)?;
    debug_assert_eq!(learner.parameters().snapshot().ok().as_ref(), Some(&best));
    let mut weights = best;
    if let Some(standard) = &learner.standard {
        standard.absorb(&mut weights)?;
    }
    let tensors = weights.tensors("");
    Ok(TrainedHead { tensors, weights, history, best_epoch })
}

/// SHA-256 of everything in the examples that a head depends on.
fn digest(examples: &Examples) -> String {
    let mut hash = Sha256::new();
    let Examples { nucleotide_size, protein_size, features, rows, groups, chunks: _ } = examples;
    for count in [*nucleotide_size, *protein_size, rows.len(), groups.len()] {
        hash.update((count as u64).to_le_bytes());
    }
    for group in groups {
        hash.update([group.split as u8]);
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
    hex::encode(hash.finalize())
}

#[cfg(test)]
mod tests;
