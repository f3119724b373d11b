//! Any bytes, and files forged by what the bytes decide, through everything that `inspect` and `validate`
//! ask of one file, whatever its format.

#![no_main]

use std::path::PathBuf;
use std::sync::OnceLock;

#[path = "../../crates/vnp-validate/tests/suite/inspected.rs"]
mod inspected;
#[path = "memory.rs"]
mod memory;

#[global_allocator]
static ALLOCATOR: memory::Counting = memory::Counting;

/// What one input of some kilobytes may cost under the default limits.
const MOST_BYTES: usize = 256 << 20;

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let bytes = vnp_forge::mutate::any(data);
    let peak = memory::peak_of(|| inspected::check(&bytes, scratch()));
    assert!(peak < MOST_BYTES, "{peak} bytes for an input of {}", bytes.len());
});

/// In memory where that can be.
fn scratch() -> &'static PathBuf {
    static SCRATCH: OnceLock<PathBuf> = OnceLock::new();
    SCRATCH.get_or_init(|| {
        let made = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir());
        made.expect("a directory").keep().join("a.pt")
    })
}
