//! The exponential moving average of the parameters.

use crate::error::Error;
use crate::learn::host;
use crate::learn::parameters::Parameters;
use crate::learn::snapshot::Snapshot;

/// Moves the average towards the parameters and buffers, after this many steps.
///
/// The first steps have a larger weight than `1 - decay`, or the average of a short training would
/// stay near the initial values.
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
