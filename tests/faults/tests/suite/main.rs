//! Faults at every system call of a save, and what is left then.

#![expect(clippy::unwrap_used, reason = "tests")]

mod controls;
mod errors;
mod kills;
mod power;
mod publish;
mod support;
mod tracing;
