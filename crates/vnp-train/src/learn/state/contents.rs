//! The tensors of a saved state.

use vnp_ckpt::{Checkpoint, CheckpointBuilder, Tensor};

use crate::error::Error;
use crate::learn::optimizer::state::OptimizerState;
use crate::learn::progress::Progress;
use crate::learn::schedule::Schedule;
use crate::learn::snapshot::Snapshot;

/// The group of the current parameters and buffers.
const PRESENT: &str = "present";
/// The group of those after the best epoch.
const BEST: &str = "best";
/// The group of their moving average.
const AVERAGE: &str = "average";

/// Adds every tensor as `GROUP/NAME`.
pub(super) fn add(
    builder: CheckpointBuilder,
    schedule: &Schedule,
    progress: &Progress,
    present: &Snapshot,
) -> Result<CheckpointBuilder, Error> {
    let names = schedule.optimizer.moments().iter().copied();
    let moments = names.zip(&progress.optimizer.moments);
    let average = progress.average.iter().map(|average| (AVERAGE, average));
    [(PRESENT, present), (BEST, &progress.best)].into_iter().chain(average).chain(moments).try_fold(
        builder,
        |builder, (group, snapshot)| {
            snapshot.iter().try_fold(builder, |builder, (name, shape, values)| {
                let tensor = Tensor::from_f32(shape, values.to_vec())?;
                Ok(builder.free_tensor(format!("{group}/{name}"), tensor))
            })
        },
    )
}

/// The saved parameters and buffers, and a progress with the saved tensors, the
/// rest as in `fresh`, the progress before the first step.
pub(super) fn take(
    checkpoint: &Checkpoint,
    schedule: &Schedule,
    fresh: Progress,
) -> Result<(Snapshot, Progress), String> {
    let present = snapshot(checkpoint, PRESENT, &fresh.best)?;
    let names = schedule.optimizer.moments().iter();
    let moments = names.zip(&fresh.optimizer.moments);
    let moments = moments.map(|(group, like)| snapshot(checkpoint, group, like));
    let average = fresh.average.as_ref().map(|like| snapshot(checkpoint, AVERAGE, like));
    let progress = Progress {
        optimizer: OptimizerState {
            moments: moments.collect::<Result<_, _>>()?,
            ..fresh.optimizer
        },
        average: average.transpose()?,
        best: snapshot(checkpoint, BEST, &fresh.best)?,
        ..fresh
    };
    Ok((present, progress))
}

/// The tensors of a group, with the names and shapes of `like`.
fn snapshot(checkpoint: &Checkpoint, group: &str, like: &Snapshot) -> Result<Snapshot, String> {
    let mut snapshot = Snapshot::default();
    for (name, shape, _) in like.iter() {
        let full = format!("{group}/{name}");
        let tensor = checkpoint.tensor(&full).ok_or_else(|| format!("no tensor `{full}`"))?;
        if tensor.shape() != shape {
            let found = tensor.shape();
            return Err(format!("tensor `{full}`: expected shape {shape:?}, found {found:?}"));
        }
        let values = tensor.as_f32().map_err(|error| format!("tensor `{full}`: {error}"))?;
        snapshot.insert(name, shape, values.to_vec());
    }
    Ok(snapshot)
}
