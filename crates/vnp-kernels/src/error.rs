//! The errors of this crate, and the check of lengths.

/// An error of a call: lengths that do not fit each other, or instructions that this CPU lacks.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A slice has another length than the shapes require.
    #[error("{what} has {found} values where {expected} are needed")]
    Length {
        /// The slice.
        what: &'static str,
        /// The required number of values.
        expected: usize,
        /// The actual number of values.
        found: usize,
    },
    /// This CPU has no instructions for a precision.
    #[error("this CPU ({cpu}) has no instructions for bf16: use f32")]
    NoBf16 {
        /// The instructions that it has.
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

/// Fails if a length is not the expected one.
pub(crate) fn check(what: &'static str, found: usize, expected: usize) -> Result<(), Error> {
    if found == expected { Ok(()) } else { Err(Error::Length { what, expected, found }) }
}
