//! The interface between a network with its data and the training loop, [`fit`](crate::learn::fit::fit).

use candle_core::Tensor;

use crate::error::Error;
use crate::learn::parameters::Parameters;

/// A network with its data: parameters and a loss.
pub(crate) trait Learner {
    /// All parameters and buffers.
    fn parameters(&self) -> &Parameters;

    /// All parameters and buffers, mutable.
    fn parameters_mut(&mut self) -> &mut Parameters;

    /// The number of steps of an epoch, at least one.
    fn steps(&self, epoch: usize) -> usize;

    /// The mean loss of one batch, a function of parameters, seed, `epoch` and `step` alone.
    ///
    /// Training may be resumed at any step: the loss may depend on nothing from earlier
    /// steps but parameters and buffers.
    fn loss(&mut self, epoch: usize, step: usize) -> Result<Tensor, Error>;

    /// The loss on the validation rows, with all parameters as they are.
    fn validate(&self) -> Result<f64, Error>;
}
