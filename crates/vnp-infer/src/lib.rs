//! ESM-2 and DNABERT-S encoders, the classification head and model bundles.
