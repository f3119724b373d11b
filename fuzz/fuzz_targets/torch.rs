//! Any bytes, and files forged by what the bytes decide, through the reader of PyTorch files.

#![no_main]

use std::sync::OnceLock;

use libfuzzer_sys::fuzz_target;

#[allow(dead_code, reason = "the tests use the rest")]
#[path = "../../crates/vnp-ckpt/tests/suite/invariants.rs"]
mod invariants;
mod memory;

#[global_allocator]
static ALLOCATOR: memory::Counting = memory::Counting;

/// What one input of some kilobytes may cost under the limits of [`invariants::small`].
const MOST_BYTES: usize = 32 << 20;

/// In memory where that can be: what opens is saved and read again.
fn scratch() -> &'static tempfile::TempDir {
    static SCRATCH: OnceLock<tempfile::TempDir> = OnceLock::new();
    SCRATCH.get_or_init(|| {
        tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).expect("a directory")
    })
}

fuzz_target!(|data: &[u8]| {
    let bytes = vnp_forge::mutate::torch(data);
    let peak = memory::peak_of(|| drop(invariants::check(&bytes, &scratch().path().join("a.vnp"))));
    assert!(peak < MOST_BYTES, "{peak} bytes for an input of {}", bytes.len());
});
