//! The lock.

/// A lock.
#[derive(Debug)]
pub(crate) struct Lock {}
