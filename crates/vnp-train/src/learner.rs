//! What [`fit`](crate::fit::fit) can fit.

use candle_core::Tensor;

use crate::Error;
use crate::parameters::Parameters;

/// Something with parameters and a loss.
pub(crate) trait Learner {
    /// All that is learned or remembered.
    fn parameters(&self) -> &Parameters;

    /// The same, to be changed.
    fn parameters_mut(&mut self) -> &mut Parameters;

    /// How many batches an epoch has; at least one.
    fn steps(&self, epoch: usize) -> usize;

    /// The mean loss of one batch, a function of the parameters, the seed, `epoch` and `step` alone.
    ///
    /// Training may be resumed at any step: nothing that the loss depends on may be left from the
    /// steps before, but parameters and buffers.
    fn loss(&mut self, epoch: usize, step: usize) -> Result<Tensor, Error>;

    /// The loss on the validation rows, with all parameters as they are.
    fn validate(&self) -> Result<f64, Error>;
}
