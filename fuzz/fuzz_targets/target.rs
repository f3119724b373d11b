//! What every target does with a forged file: reads it in every way, within a bounded memory.

use std::sync::OnceLock;

#[allow(dead_code, reason = "the tests use the rest")]
#[path = "../../crates/vnp-ckpt/tests/suite/invariants.rs"]
mod invariants;
#[path = "memory.rs"]
mod memory;

#[global_allocator]
static ALLOCATOR: memory::Counting = memory::Counting;

/// What one input of some kilobytes may cost under the limits of [`invariants::small`].
const MOST_BYTES: usize = 32 << 20;

/// Checks what holds for any bytes, and how many bytes of memory that took.
pub(crate) fn check(bytes: &[u8]) {
    let peak = memory::peak_of(|| drop(invariants::check(bytes, &scratch().path().join("a.vnp"))));
    assert!(peak < MOST_BYTES, "{peak} bytes for an input of {}", bytes.len());
}

/// In memory where that can be: what opens is saved and read again.
fn scratch() -> &'static tempfile::TempDir {
    static SCRATCH: OnceLock<tempfile::TempDir> = OnceLock::new();
    SCRATCH.get_or_init(|| {
        tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).expect("a directory")
    })
}
