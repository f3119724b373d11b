use std::io;

/// What ended a preparation or a training.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A file could not be read or written; the message names it.
    #[error("{0}")]
    Io(#[from] io::Error),
    /// Sequences could not be read.
    #[error(transparent)]
    Sequence(#[from] vnp_seq::Error),
    /// An encoder, a head or a bundle failed.
    #[error(transparent)]
    Model(#[from] vnp_infer::Error),
    /// A checkpoint could not be read or written.
    #[error(transparent)]
    Checkpoint(#[from] vnp_ckpt::Error),
}
