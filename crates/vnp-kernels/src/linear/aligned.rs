//! Values that begin at a cache line.

/// Bytes of a cache line and of a vector register.
const LINE: usize = 64;

/// Values of which the first begins at a cache line, so that no vector spans two.
#[derive(Debug)]
pub(crate) struct Aligned<T> {
    values: Vec<T>,
    start: usize,
    length: usize,
}

impl<T> Default for Aligned<T> {
    fn default() -> Self {
        Self { values: Vec::new(), start: 0, length: 0 }
    }
}

impl<T: Copy + Default> Aligned<T> {
    pub(crate) fn zeroed(length: usize) -> Self {
        let mut aligned = Self::default();
        aligned.resize(length);
        aligned
    }

    /// Room for `length` values, with whatever is there.
    pub(crate) fn resize(&mut self, length: usize) -> &mut [T] {
        let spare = LINE / size_of::<T>().max(1);
        if self.values.len() < length + spare {
            self.values = vec![T::default(); length + spare];
            // Where the allocation lies does not change until the next one.
            self.start = self.values.as_ptr().align_offset(LINE).min(spare);
        }
        self.length = length;
        self.get_mut()
    }

    pub(crate) fn get(&self) -> &[T] {
        self.values.get(self.start..self.start + self.length).unwrap_or_default()
    }

    pub(crate) fn get_mut(&mut self) -> &mut [T] {
        self.values.get_mut(self.start..self.start + self.length).unwrap_or_default()
    }
}
