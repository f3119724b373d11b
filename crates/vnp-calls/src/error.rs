//! What goes wrong with calls.

/// Why calls could not be computed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A chunk's score is not a number.
    #[error("a chunk has the scores {s0} (others) and {s1} (virus); both must be finite numbers")]
    Score {
        /// The score of others.
        s0: f32,
        /// The score of virus.
        s1: f32,
    },
}
