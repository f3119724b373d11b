//! The exit code of programs that fail because of a checkpoint.

/// The exit code of a program when a checkpoint is corrupted or incompatible, or none was found.
pub const CHECKPOINT_EXIT_CODE: u8 = 3;
