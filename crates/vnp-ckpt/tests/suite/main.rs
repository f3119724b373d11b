//! What a file may hold, and what a reader makes of it.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "tests"
)]

mod archives;
mod compat;
mod damage;
#[cfg(any(feature = "torch", feature = "safetensors"))]
mod exports;
mod faults;
mod gate;
#[cfg(feature = "torch")]
mod golden;
mod hostile;
#[cfg(feature = "torch")]
mod hostile_files;
mod hostile_sizes;
#[cfg(feature = "torch")]
mod invariants;
#[cfg(feature = "torch")]
mod mutations;
mod partly;
mod python;
mod round_trip;
#[cfg(feature = "safetensors")]
mod safetensors;
#[cfg(feature = "safetensors")]
mod safetensors_hostile;
mod saving;
mod streaming;
mod support;
mod tables;
#[cfg(feature = "torch")]
mod torch_damage;
#[cfg(feature = "torch")]
mod torch_export;
#[cfg(feature = "torch")]
mod torch_files;
