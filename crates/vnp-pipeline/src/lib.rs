//! A run: identity, stages, parts, resume, signals and results.
