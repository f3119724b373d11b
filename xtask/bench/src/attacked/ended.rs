//! How the program under attack ended.

/// How a case ended.
pub(crate) struct Ended {
    /// The exit code, less than 0 for a signal; none of a program that was killed because it took too long.
    pub(crate) code: Option<i32>,
    /// How much went wrong, in units of `Case::wrong`.
    pub(crate) wrong: u64,
}
