//! The state of an optimizer, which a training saves, and the step that it makes.
//!
//! The arithmetic is done on the host whatever the device, value by value, so that a step is the
//! same everywhere.

use crate::error::Error;
use crate::learn::gradients::Gradients;
use crate::learn::host;
use crate::learn::optimizer::Optimizer;
use crate::learn::optimizer::update::Update;
use crate::learn::parameters::Parameters;
use crate::learn::snapshot::Snapshot;

/// The state of an optimizer.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct OptimizerState {
    /// The number of steps so far.
    pub(crate) steps: u64,
    /// The moments, in the order of [`Optimizer::moments`].
    pub(crate) moments: Vec<Snapshot>,
}

impl OptimizerState {
    /// The state before the first step.
    pub(crate) fn new(optimizer: &Optimizer, parameters: &Parameters) -> Self {
        let mut zeros = Snapshot::default();
        for (name, variable) in parameters.variables() {
            zeros.insert(name, variable.dims(), vec![0.0; variable.elem_count()]);
        }
        Self { steps: 0, moments: vec![zeros; optimizer.moments().len()] }
    }

    /// Makes a step; every gradient is first multiplied by `scale`.
    pub(crate) fn step(
        &mut self,
        optimizer: &Optimizer,
        parameters: &Parameters,
        gradients: &Gradients,
        rate: f64,
        scale: f64,
    ) -> Result<(), Error> {
        self.steps += 1;
        for (name, variable) in parameters.variables() {
            let Some(gradient) = gradients.get(name) else { continue };
            let update = Update::new(optimizer, self.steps, rate, scale, variable.rank() > 1);
            let moments = self.moments.iter_mut().map(|moment| moment.values_mut(name));
            let mut moments = moments.collect::<Result<Vec<_>, _>>()?;
            host::read(gradient, |gradient| {
                host::change(variable, |values| update.apply(values, gradient, &mut moments))
            })??;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
