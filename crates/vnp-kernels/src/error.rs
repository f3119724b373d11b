//! What can be wrong with a call.

/// An error of this crate: slices that do not fit each other, or instructions that are not there.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A slice has another length than the shapes ask for.
    #[error("{what} has {found} values where {expected} are needed")]
    Length {
        /// The slice.
        what: &'static str,
        /// The values that it must have.
        expected: usize,
        /// The values that it has.
        found: usize,
    },
    /// This CPU has no instructions for a precision.
    #[error("this CPU ({cpu}) has no instructions for bf16: use f32")]
    NoBf16 {
        /// What it has.
        cpu: &'static str,
    },
    /// A number of outputs, inputs or heads that no layer can have.
    #[error("a layer of {outputs} outputs and {inputs} inputs cannot be computed")]
    Shape {
        /// Outputs.
        outputs: usize,
        /// Inputs.
        inputs: usize,
    },
}

/// Fails where a slice has another length than it must.
pub(crate) fn check(what: &'static str, found: usize, expected: usize) -> Result<(), Error> {
    if found == expected { Ok(()) } else { Err(Error::Length { what, expected, found }) }
}
