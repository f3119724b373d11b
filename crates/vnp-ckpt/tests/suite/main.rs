//! What a file may be, and what becomes of it.
//!
//! The attribute on each module is for the lints, which let tests unwrap, panic and print.

#[cfg(test)]
mod compat;
#[cfg(test)]
mod damage;
#[cfg(test)]
#[cfg(any(feature = "torch", feature = "safetensors"))]
mod exports;
#[cfg(test)]
mod faults;
#[cfg(test)]
mod forge;
#[cfg(test)]
mod gate;
#[cfg(test)]
mod golden;
#[cfg(test)]
mod hostile;
#[cfg(test)]
mod hostile_files;
#[cfg(test)]
mod invariants;
#[cfg(test)]
#[allow(dead_code, reason = "xtask uses the rest")]
#[path = "../../../../xtask/src/fixtures/forge.rs"]
mod kit;
#[cfg(test)]
mod mutations;
#[cfg(test)]
mod partly;
#[cfg(test)]
mod python;
#[cfg(test)]
mod round_trip;
#[cfg(test)]
#[cfg(feature = "safetensors")]
mod safetensors;
#[cfg(test)]
#[cfg(feature = "safetensors")]
mod safetensors_hostile;
#[cfg(test)]
mod saving;
#[cfg(test)]
mod streaming;
#[cfg(test)]
mod support;
#[cfg(test)]
mod torch_damage;
#[cfg(test)]
#[cfg(feature = "torch")]
mod torch_export;
#[cfg(test)]
mod torch_files;
