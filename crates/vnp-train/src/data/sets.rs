//! Disjoint sets (union-find), by which relatives are joined to groups.

/// Disjoint sets of 0..n.
#[derive(Debug, Clone)]
pub(crate) struct Sets(Vec<usize>);

impl Sets {
    pub(crate) fn new(count: usize) -> Self {
        Self((0..count).collect())
    }

    /// The smallest member of the set of `i`.
    #[expect(clippy::indexing_slicing, reason = "every entry is below the length")]
    pub(crate) fn root(&mut self, mut i: usize) -> usize {
        while self.0[i] != i {
            self.0[i] = self.0[self.0[i]];
            i = self.0[i];
        }
        i
    }

    pub(crate) fn are_joined(&mut self, a: usize, b: usize) -> bool {
        self.root(a) == self.root(b)
    }

    /// The smaller root stays, so that the result does not depend on the order of joins.
    #[expect(clippy::indexing_slicing, reason = "roots are below the length")]
    pub(crate) fn join(&mut self, a: usize, b: usize) {
        let (a, b) = (self.root(a), self.root(b));
        self.0[a.max(b)] = a.min(b);
    }

    /// The set of every member, numbered by first appearance, and the number of sets.
    pub(crate) fn numbered(&mut self) -> (Vec<usize>, usize) {
        let mut numbers = std::collections::HashMap::new();
        let sets = (0..self.0.len())
            .map(|i| {
                let next = numbers.len();
                *numbers.entry(self.root(i)).or_insert(next)
            })
            .collect();
        (sets, numbers.len())
    }
}
