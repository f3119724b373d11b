//! Memory for matrices.

/// Bytes of a cache line and of a vector register.
const LINE: usize = 64;

/// Room for values, of which the first begins at a cache line, so that no vector spans two.
///
/// Large ones are on huge pages where Linux lets a program ask for them: columns of a matrix are
/// read across pages, and looking those up takes longer than reading.
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

    /// Makes room for `length` values and gives them with whatever is there. The memory grows to
    /// the largest length and stays.
    pub fn resize(&mut self, length: usize) -> &mut [T] {
        let spare = LINE / size_of::<T>().max(1);
        if self.values.len() < length + spare {
            // The old memory goes first: both need not be there at once.
            self.values = Vec::new();
            self.values = vec![T::default(); length + spare];
            on_huge_pages(&mut self.values);
            // Where the allocation lies does not change until the next one.
            self.start = self.values.as_ptr().align_offset(LINE).min(spare);
        }
        self.length = length;
        self.get_mut()
    }

    /// The values.
    pub fn get(&self) -> &[T] {
        self.values.get(self.start..self.start + self.length).unwrap_or_default()
    }

    /// The values.
    pub fn get_mut(&mut self) -> &mut [T] {
        self.values.get_mut(self.start..self.start + self.length).unwrap_or_default()
    }
}

/// Asks for huge pages for memory that nothing was written to yet. It is a wish: where it is not
/// granted, nothing changes.
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
    // SAFETY: the pages lie within `values`; the advice changes how they are mapped and not what
    // is in them.
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
        let place = buffer.get().as_ptr();
        assert_eq!(buffer.resize(5), [1.0; 5]);
        assert_eq!(buffer.resize(3_000_000).as_ptr(), place);
        assert_eq!(buffer.get_mut().len(), 3_000_000);
    }
}
