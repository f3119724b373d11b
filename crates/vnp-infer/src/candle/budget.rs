//! The number of tokens that a device takes at once, reduced when its memory is too small.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// A number of tokens that is reduced when the device's memory turns out too small, for good.
#[derive(Debug)]
pub(crate) struct Budget {
    tokens: AtomicUsize,
    warned: AtomicBool,
}

impl Budget {
    pub(crate) fn new(tokens: usize) -> Self {
        Self { tokens: AtomicUsize::new(tokens), warned: AtomicBool::new(false) }
    }

    /// The tokens in a pack.
    pub(crate) fn get(&self) -> usize {
        self.tokens.load(Ordering::Relaxed)
    }

    /// Allows half of the `tokens` that were too many for `device`, with a warning the first time.
    pub(crate) fn halve(&self, tokens: usize, device: &str) {
        let half = (tokens / 2).max(1);
        let before = self.tokens.fetch_min(half, Ordering::Relaxed);
        let message = format!("{device} has no memory for {tokens} tokens at once: trying {half}");
        if self.warned.swap(true, Ordering::Relaxed) {
            log::debug!("{message}");
        } else if before > half {
            log::warn!("{message}; a smaller batch size avoids the detour");
        }
    }
}

/// Whether a device's memory was too small. Recognised by the names in the messages of the driver
/// and cuBLAS, because candle's errors nest in several ways and their types exist only in CUDA builds.
pub(crate) fn is_out_of_memory(error: &candle_core::Error) -> bool {
    let text = error.to_string();
    ["CUDA_ERROR_OUT_OF_MEMORY", "CUBLAS_STATUS_ALLOC_FAILED"]
        .iter()
        .any(|name| text.contains(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(tried: &[usize], expected: usize) {
        let budget = Budget::new(100);
        for tokens in tried {
            budget.halve(*tokens, "cuda:0");
        }
        assert_eq!(budget.get(), expected);
    }

    #[test]
    fn budgets_only_shrink() {
        check(&[], 100);
        check(&[90], 45);
        check(&[90, 40], 20);
        check(&[40, 90], 20);
        check(&[1], 1);
        check(&[1000], 100);
    }

    #[test]
    fn other_failures_are_distinguished() {
        let is = |text: &str| is_out_of_memory(&candle_core::Error::Msg(text.to_owned()));
        assert!(is("DriverError(CUDA_ERROR_OUT_OF_MEMORY, \"out of memory\")"));
        assert!(is("CublasError(CUBLAS_STATUS_ALLOC_FAILED)"));
        assert!(!is("DriverError(CUDA_ERROR_LAUNCH_OUT_OF_RESOURCES, \"too many resources\")"));
        assert!(!is("DriverError(CUDA_ERROR_ILLEGAL_ADDRESS, \"an illegal memory access\")"));
        let inner = candle_core::Error::Msg("CUDA_ERROR_OUT_OF_MEMORY".to_owned());
        assert!(is_out_of_memory(&inner.bt().context("a layer")));
    }

    #[cfg(feature = "cuda")]
    #[test]
    fn the_errors_of_both_libraries_are_recognised() {
        use candle_core::cuda_backend::{WrapErr as _, cudarc};

        let driver = cudarc::driver::DriverError(
            cudarc::driver::sys::cudaError_enum::CUDA_ERROR_OUT_OF_MEMORY,
        );
        let Err(error) = Err::<(), _>(driver).w() else { panic!() };
        assert!(is_out_of_memory(&error));
        let blas = cudarc::cublas::result::CublasError(
            cudarc::cublas::sys::cublasStatus_t::CUBLAS_STATUS_ALLOC_FAILED,
        );
        let Err(error) = Err::<(), _>(blas).w() else { panic!() };
        assert!(is_out_of_memory(&error));
    }
}
