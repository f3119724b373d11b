//! The exponential moving average of the parameters.

use crate::parameters::Parameters;
use crate::snapshot::Snapshot;
use crate::{Error, host};

/// Moves the average towards the parameters and buffers, after so many steps.
///
/// The first steps count for more than `1 - decay` of it, or the average of a short training would
/// be where it began.
pub(super) fn follow(
    average: &mut Snapshot,
    parameters: &Parameters,
    decay: f64,
    steps: u64,
) -> Result<(), Error> {
    let early = (1.0 + steps as f64) / (10.0 + steps as f64);
    let share = (1.0 - decay.min(early)) as f32;
    for (name, variable) in parameters.all() {
        let average = average.values_mut(name)?;
        host::read(variable, |values| {
            average.iter_mut().zip(values).for_each(|(mean, x)| *mean += share * (x - *mean));
        })?;
    }
    Ok(())
}
