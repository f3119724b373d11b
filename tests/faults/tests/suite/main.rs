//! Faults at every system call of a save, and what is left then.
//!
//! The attribute on each module is for the lints, which let tests unwrap, panic and print.

#[cfg(test)]
mod controls;
#[cfg(test)]
mod errors;
#[cfg(test)]
mod kills;
#[cfg(test)]
mod power;
#[cfg(test)]
mod publish;
#[cfg(test)]
mod support;
#[cfg(test)]
mod tracing;
