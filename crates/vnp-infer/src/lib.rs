//! ESM-2 and DNABERT-S encoders, the classification head, and model bundles.
//!
//! A [`Bundle`] is a directory with a model; [`Model::load`] puts it on a device; its two
//! [`Encoder`]s turn sequences into embeddings and its [`Head`] a pair of embeddings into two
//! scores. Networks of any size run: every size comes from a bundle's configs.
//!
//! On CPU an embedding depends on its sequence, the weights and the instruction set, and on
//! nothing else: not on the sequences next to it, their order, or the number of threads, which are
//! those of the current rayon pool. On CUDA (feature `cuda`) sequences are packed, and embeddings
//! agree within a tolerance. `docs/NUMERICS.md` has the figures.
//!
//! This crate never prints and never reads the environment; it logs through `log`.

mod architecture;
mod bundle;
mod candle;
mod cost;
mod cpu;
#[cfg(feature = "cuda")]
mod cuda;
#[cfg(test)]
mod determinism;
mod device;
mod encoder;
mod encoder_files;
mod error;
mod given;
mod head;
mod model;
mod network;
#[cfg(test)]
mod parity;
mod precision;
#[cfg(test)]
mod testing;
mod tokenizer;
mod trainable;
mod weights;

pub use architecture::dnabert::DnabertConfig;
pub use architecture::esm2::Esm2Config;
pub use bundle::find::{BundleEntry, BundleSummary, find_bundle, list_bundles};
pub use bundle::head_file::HeadFile;
pub use bundle::import::{ImportOptions, import};
pub use bundle::length::LengthSource;
pub use bundle::manifest::BundleDigests;
pub use bundle::published::{PUBLISHED_HEADS, PublishedHead};
pub use bundle::write::BundleWriter;
pub use bundle::{Bundle, EMBEDDED_NAME};
pub use cost::Cost;
pub use device::info::DeviceInfo;
pub use device::{DeviceSpec, list_devices};
pub use encoder::transformer::{Dnabert, Esm2};
pub use encoder::{Encoder, Interrupt, ModelOptions};
pub use encoder_files::EncoderFiles;
pub use error::Error;
pub use error::weights::WeightsError;
pub use head::Head;
pub use head::fallback::FallbackHead;
pub use model::{Model, load_dnabert, load_esm2};
pub use precision::Precision;
pub use tokenizer::esm2::is_esm2_letter;
pub use trainable::{TrainableDnabert, TrainableEsm2};
pub use weights::TensorSpec;
pub use weights::tensors::Tensors;
