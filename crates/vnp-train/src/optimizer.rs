//! From gradients to steps, with a state that can be saved.
//!
//! The arithmetic is done on the host whatever the device, value by value, so that a step is the
//! same everywhere.

mod adamw;
mod gradients;
mod sgd;

use serde::{Deserialize, Serialize};

use crate::parameters::Parameters;
use crate::snapshot::Snapshot;
use crate::{Error, host};

pub(crate) use gradients::Gradients;

/// Values that one thread takes at a time.
const BLOCK: usize = 1 << 15;

/// What makes steps of gradients. Decay never touches tensors of one dimension: biases, norms.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Optimizer {
    /// Stochastic gradient descent, as in PyTorch: the decay is added to the gradient.
    Sgd {
        /// What is kept of the step before.
        momentum: f64,
        /// Weight decay.
        decay: f64,
    },
    /// Adam with decoupled weight decay, as in PyTorch.
    AdamW {
        /// Decay of the gradients' mean.
        beta1: f64,
        /// Decay of the squares' mean.
        beta2: f64,
        /// Keeps the divisor above zero.
        epsilon: f64,
        /// Weight decay.
        decay: f64,
    },
}

impl Optimizer {
    /// AdamW as PyTorch sets it, with this decay.
    #[must_use]
    pub const fn adam_w(decay: f64) -> Self {
        Self::AdamW { beta1: 0.9, beta2: 0.999, epsilon: 1e-8, decay }
    }

    /// What it remembers of every parameter.
    pub(crate) const fn moments(&self) -> &'static [&'static str] {
        match self {
            Self::Sgd { .. } => &["velocity"],
            Self::AdamW { .. } => &["mean", "square"],
        }
    }
}

/// What an optimizer remembers.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct OptimizerState {
    /// Steps made.
    pub(crate) steps: u64,
    /// In the order of [`Optimizer::moments`].
    pub(crate) moments: Vec<Snapshot>,
}

impl OptimizerState {
    /// Before the first step.
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
            let decays = variable.rank() > 1;
            let update = Update::new(optimizer, self.steps, rate, scale, decays);
            let moments = self.moments.iter_mut().map(|moment| moment.values_mut(name));
            let mut moments = moments.collect::<Result<Vec<_>, _>>()?;
            host::read(gradient, |gradient| {
                host::change(variable, |values| update.apply(values, gradient, &mut moments))
            })??;
        }
        Ok(())
    }
}

/// One step of either kind for one tensor.
enum Update {
    Sgd(sgd::Step),
    AdamW(adamw::Step),
}

impl Update {
    fn new(optimizer: &Optimizer, steps: u64, rate: f64, scale: f64, decays: bool) -> Self {
        let scale = scale as f32;
        match *optimizer {
            Optimizer::Sgd { momentum, decay } => Self::Sgd(sgd::Step {
                rate: rate as f32,
                momentum: momentum as f32,
                decay: if decays { decay as f32 } else { 0.0 },
                scale,
            }),
            Optimizer::AdamW { beta1, beta2, epsilon, decay } => {
                let steps = i32::try_from(steps).unwrap_or(i32::MAX);
                Self::AdamW(adamw::Step {
                    beta1: beta1 as f32,
                    beta2: beta2 as f32,
                    epsilon: epsilon as f32,
                    rate: (rate / (1.0 - beta1.powi(steps))) as f32,
                    root: (1.0 - beta2.powi(steps)).sqrt() as f32,
                    keep: if decays { (1.0 - rate * decay) as f32 } else { 1.0 },
                    scale,
                })
            }
        }
    }

    fn apply(&self, values: &mut [f32], gradient: &[f32], moments: &mut [&mut Vec<f32>]) {
        match (self, moments) {
            (Self::Sgd(step), [velocity]) => step.apply(values, gradient, velocity),
            (Self::AdamW(step), [mean, square]) => step.apply(values, gradient, mean, square),
            // `OptimizerState::new` makes as many as there are.
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests;
