//! The seam between a linear layer and the kernels: packed weights of any instruction set.

use crate::epilogue::Destination;
use crate::error::Error;
use crate::scratch::Scratch;

/// The weights of a layer in the order of a kernel. A value proves that the CPU has the kernel's
/// instructions.
pub(crate) trait PackedWeights: Send + Sync {
    /// The number of packed columns, with padding.
    fn columns(&self) -> usize;

    /// The packed column of an output.
    fn column(&self, output: usize) -> usize;

    /// Packs the weights of one column.
    fn pack(&mut self, column: usize, weights: &[f32]);

    /// Multiplies the rows of `x`, and writes the results to the destination.
    fn multiply(
        &self,
        x: &[f32],
        destination: &mut Destination<'_>,
        scratch: &mut Scratch,
    ) -> Result<(), Error>;
}
