//! Runs with encoders that cost nothing, so that odd moments and odd models can be tried.

#![expect(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod agreement;
mod devices;
mod embed;
mod embeddings;
mod forecasts;
mod runs;
mod score_all;
mod support;
