//! What validation finds, and what it writes down.
//!
//! The attribute on each module is for the lints, which let tests unwrap, panic and print.

#[cfg(test)]
mod codes;
#[cfg(test)]
mod document;
#[cfg(test)]
mod failure_log;
#[cfg(test)]
mod levels;
#[cfg(test)]
mod support;
#[cfg(test)]
mod tree;
