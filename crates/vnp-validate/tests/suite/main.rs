//! Integration tests of validation: findings, levels, trees, the failure log and the document.
//!
//! Each module has `#[cfg(test)]` so that the lints allow it to unwrap, panic and print.

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
