//! The numbers of a saved state.

use std::collections::BTreeMap;

use vnp_ckpt::{Checkpoint, CheckpointBuilder, Value};

use crate::identity::Identity;
use crate::learn::epoch::Epoch;
use crate::learn::progress::Progress;

pub(super) fn add(
    builder: CheckpointBuilder,
    identity: &Identity,
    progress: &Progress,
) -> CheckpointBuilder {
    let fields = identity.fields().map(|(field, value)| (field.to_owned(), Value::from(value)));
    let history = progress.history.iter().map(|epoch| {
        Value::from(BTreeMap::from([
            ("rate".to_owned(), Value::from(epoch.rate)),
            ("training_loss".to_owned(), Value::from(epoch.training_loss)),
            ("validation_loss".to_owned(), Value::from(epoch.validation_loss)),
            ("is_best".to_owned(), Value::from(epoch.is_best)),
        ]))
    });
    builder
        .metadata("identity", fields.collect::<BTreeMap<_, _>>())
        .metadata("step", count(progress.step as u64))
        .metadata("steps", count(progress.optimizer.steps))
        .metadata("loss_sum", progress.loss_sum)
        .metadata("history", history.collect::<Vec<_>>())
}

/// The identity of the training that saved the state.
pub(super) fn identity(checkpoint: &Checkpoint) -> Result<Identity, String> {
    let fields = get(checkpoint.metadata(), "identity", Value::as_map)?;
    fields.keys().try_fold(Identity::default(), |identity, field| {
        Ok(identity.with(field, get(fields, field, Value::as_str)?))
    })
}

/// Fills in everything that is not a tensor.
pub(super) fn take(checkpoint: &Checkpoint, progress: &mut Progress) -> Result<(), String> {
    let metadata = checkpoint.metadata();
    let step = get(metadata, "step", Value::as_u64)?;
    progress.step = usize::try_from(step).map_err(|error| error.to_string())?;
    progress.optimizer.steps = get(metadata, "steps", Value::as_u64)?;
    progress.loss_sum = get(metadata, "loss_sum", Value::as_float)?;
    for (epoch, value) in get(metadata, "history", Value::as_list)?.iter().enumerate() {
        let fields =
            value.as_map().ok_or_else(|| format!("metadata `history` {epoch} is not a map"))?;
        progress.history.push(Epoch {
            epoch,
            rate: get(fields, "rate", Value::as_float)?,
            training_loss: get(fields, "training_loss", Value::as_float)?,
            validation_loss: get(fields, "validation_loss", Value::as_float)?,
            is_best: get(fields, "is_best", Value::as_bool)?,
        });
    }
    Ok(())
}

fn get<'a, T>(
    fields: &'a BTreeMap<String, Value>,
    name: &str,
    read: impl FnOnce(&'a Value) -> Option<T>,
) -> Result<T, String> {
    let value = fields.get(name).ok_or_else(|| format!("no metadata `{name}`"))?;
    read(value).ok_or_else(|| format!("metadata `{name}` is of another type than it should be"))
}

fn count(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}
