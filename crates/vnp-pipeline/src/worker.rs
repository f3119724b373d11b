//! Computing the missing rows: one worker per device, and what they share.

pub(crate) mod batch_size;
mod cancellation;
mod embedder;
mod frames;
mod handle;
mod offset;
mod orfless_chunks;
mod pool;
mod prefetcher;
mod session;
mod slices;
mod window;

pub(crate) use pool::WorkerPool;
pub(crate) use session::{Session, Work};
pub(crate) use window::Settings;
