//! Errors of other libraries as errors of this crate.

use crate::error::Error;

impl Error {
    /// Wraps a failure of a CPU kernel.
    pub(crate) fn kernel(source: vnp_kernels::Error) -> Self {
        Self::Kernel { cause: source }
    }

    /// Wraps a failure of the tensor library with what was being computed.
    pub(crate) fn compute(what: impl Into<String>) -> impl FnOnce(candle_core::Error) -> Self {
        let what = what.into();
        move |source| Self::Compute { what, cause: Box::new(source) }
    }
}
