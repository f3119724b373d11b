//! Validation of checkpoints: findings as data, a failure log, exit codes.
