//! Integration tests of validation: findings, levels, trees, the failure log and the document.

#![expect(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod agreement;
mod codes;
mod document;
mod failure_log;
mod inspected;
mod levels;
mod mutations;
mod support;
mod tree;
