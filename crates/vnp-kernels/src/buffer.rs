//! Memory for matrices: aligned to cache lines, and on huge pages.
#![expect(clippy::indexing_slicing, reason = "`resize` makes room for start and length")]

/// Bytes of a cache line and of a vector register.
const LINE: usize = 64;

/// A buffer of values that begins at a cache line, so that no vector spans two.
///
/// On Linux, large buffers request huge pages: the columns of a matrix are read across pages, and
/// translating their addresses takes longer than reading.
#[derive(Debug)]
pub struct Buffer<T> {
    values: Vec<T>,
    start: usize,
    length: usize,
}

impl<T> Default for Buffer<T> {
    fn default() -> Self {
        Self { values: Vec::new(), start: 0, length: 0 }
    }
}

impl<T: Copy + Default> Buffer<T> {
    /// A buffer of `length` values, all zero.
    pub fn zeroed(length: usize) -> Self {
        let mut buffer = Self::default();
        buffer.resize(length);
        buffer
    }

    /// Makes room for `length` values and returns them, with unspecified content. The memory grows to
    /// the largest length so far.
    pub fn resize(&mut self, length: usize) -> &mut [T] {
        let spare = LINE / size_of::<T>().max(1);
        if self.values.len() < length + spare {
            // The old memory is freed first, so that there are never both.
            self.values = Vec::new();
            self.values = vec![T::default(); length + spare];
            on_huge_pages(&mut self.values);
            // The address of an allocation does not change.
            self.start = self.values.as_ptr().align_offset(LINE).min(spare);
        }
        self.length = length;
        self.get_mut()
    }

    /// The values.
    pub fn get(&self) -> &[T] {
        &self.values[self.start..self.start + self.length]
    }

    /// The values.
    pub fn get_mut(&mut self) -> &mut [T] {
        &mut self.values[self.start..self.start + self.length]
    }
}

/// Requests huge pages for memory that was not written to yet. If the request is not granted, nothing
/// changes.
#[cfg(target_os = "linux")]
#[allow(unsafe_code, reason = "a system call")]
fn on_huge_pages<T>(values: &mut [T]) {
    const SMALL_PAGE: usize = 4096;
    const HUGE_PAGE: usize = 2 << 20;
    let range = values.as_mut_ptr_range();
    let first = (range.start as usize).next_multiple_of(SMALL_PAGE);
    let length = (range.end as usize).saturating_sub(first) / SMALL_PAGE * SMALL_PAGE;
    if length < 2 * HUGE_PAGE {
        return;
    }
    let skipped = first - range.start as usize;
    // SAFETY: the pages are within `values`; the advice changes how they are mapped and not their
    // content.
    unsafe {
        libc::madvise(range.start.byte_add(skipped).cast(), length, libc::MADV_HUGEPAGE);
    }
}

#[cfg(not(target_os = "linux"))]
fn on_huge_pages<T>(_: &mut [T]) {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_buffer_is_aligned_and_keeps_its_memory() {
        let mut buffer = Buffer::<f32>::zeroed(10);
        assert_eq!(buffer.get(), [0.0; 10]);
        assert!(buffer.get().as_ptr().cast::<[u8; 64]>().is_aligned());
        buffer.resize(3_000_000).fill(1.0);
        assert!(buffer.get().as_ptr().cast::<[u8; 64]>().is_aligned());
        let address = buffer.get().as_ptr();
        assert_eq!(buffer.resize(5), [1.0; 5]);
        assert_eq!(buffer.resize(3_000_000).as_ptr(), address);
        assert_eq!(buffer.get_mut().len(), 3_000_000);
    }
}
