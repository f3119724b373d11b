//! A summary of many rows in a bounded number of bins.

/// Bins of equally many rows each. When all are in use, neighbours are merged.
#[derive(Clone, Debug)]
pub(super) struct Bins<T> {
    /// Bins at most; an even number.
    limit: usize,
    /// Rows per bin: a power of two.
    pub(super) step: u64,
    pub(super) rows: u64,
    pub(super) bins: Vec<T>,
}

impl<T> Bins<T> {
    pub(super) fn new(limit: usize) -> Self {
        Self { limit, step: 1, rows: 0, bins: Vec::new() }
    }

    /// Adds a row: to a new bin, whose content is `new`, or to the last one by `add`.
    pub(super) fn add_row(
        &mut self,
        new: impl FnOnce() -> T,
        add: impl FnOnce(&mut T),
        merge: impl Fn(T, T) -> T,
    ) {
        let starts_bin = self.rows.is_multiple_of(self.step);
        if starts_bin && self.bins.len() == self.limit {
            let mut bins = std::mem::take(&mut self.bins).into_iter();
            while let (Some(left), Some(right)) = (bins.next(), bins.next()) {
                self.bins.push(merge(left, right));
            }
            self.step *= 2;
        }
        self.rows += 1;
        match self.bins.last_mut() {
            Some(last) if !starts_bin => add(last),
            _ => self.bins.push(new()),
        }
    }
}
