//! Existing embeddings, as examples to learn from.

pub(crate) mod inputs;
mod merged;
mod rows;
pub(crate) mod run;
pub(crate) mod source;

#[cfg(test)]
mod tests;
