//! Existing embeddings, as examples to learn from.

pub(crate) mod inputs;
mod merged;
mod rows;
pub(crate) mod run;
pub(crate) mod source;
mod stage;

#[cfg(test)]
mod tests;
