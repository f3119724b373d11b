//! What a file may be, and what becomes of it.
//!
//! The attribute on each module is for the lints, which let tests unwrap, panic and print.

#[cfg(test)]
mod compat;
#[cfg(test)]
mod damage;
#[cfg(test)]
mod faults;
#[cfg(test)]
mod forge;
#[cfg(test)]
mod gate;
#[cfg(test)]
mod hostile;
#[cfg(test)]
mod partly;
#[cfg(test)]
mod python;
#[cfg(test)]
mod round_trip;
#[cfg(test)]
mod saving;
#[cfg(test)]
mod streaming;
#[cfg(test)]
mod support;
