//! The records that could not be embedded: all are counted, the first are named.

/// Records that are named in messages; of the others there is a number.
pub(super) const NAMED: usize = 8;

/// Records that could not be embedded.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Failures {
    /// How many there are.
    pub count: u64,
    /// The ids of the first few, each with the reason.
    pub first: Vec<(String, String)>,
}

impl Failures {
    pub(super) fn add(&mut self, id: &str, reason: String) {
        self.count += 1;
        if self.first.len() < NAMED {
            self.first.push((id.to_owned(), reason));
        }
    }
}
