//! Getting memory back and forth cheaply.

/// Lets the allocator keep the blocks that steps free, for the steps that come.
///
/// The GNU C library gives large blocks back to the system at once, and the system fills the next
/// ones with zeros, page by page: a third of a step's time. From the size of a large block that is
/// freed it learns not to, up to 32 MiB; for other allocators this is nothing.
pub(crate) fn keep_freed_blocks() {
    const LARGEST: usize = 31 << 20;
    drop(std::hint::black_box(Vec::<u8>::with_capacity(LARGEST)));
}
