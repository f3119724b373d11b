//! The exit code that means: a checkpoint is the problem.

/// What a program exits with when a checkpoint is corrupted or incompatible, or none was found.
pub const CHECKPOINT_EXIT_CODE: u8 = 3;
