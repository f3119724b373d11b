//! A hint to the allocator that makes steps cheaper.

/// Lets the allocator keep the blocks that steps free, for later steps.
///
/// The GNU C library returns large blocks to the system at once, and the system fills the next
/// ones with zeros, page by page: a third of a step's time. From the size of a large block that is
/// freed it learns not to, up to 32 MiB; other allocators ignore this.
pub(crate) fn keep_freed_blocks() {
    const LARGEST: usize = 31 << 20;
    drop(std::hint::black_box(Vec::<u8>::with_capacity(LARGEST)));
}
