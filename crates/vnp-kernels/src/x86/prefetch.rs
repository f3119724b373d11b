//! Prefetching.
#![allow(unsafe_code, reason = "a prefetch is an intrinsic that takes a pointer")]

use std::arch::x86_64::{_MM_HINT_T1, _mm_prefetch};

/// Bytes of a cache line.
const LINE: usize = 64;

/// Requests that a slice be brought into the second-level cache.
pub(crate) fn prefetch<T>(slice: &[T]) {
    for line in slice.chunks(LINE / size_of::<T>().max(1)) {
        // SAFETY: a hint, which may be of any address.
        unsafe { _mm_prefetch::<_MM_HINT_T1>(line.as_ptr().cast()) };
    }
}
