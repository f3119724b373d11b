//! Files that ask a reader for far more memory or time than their own size: one builder for each way,
//! with the size of the file as a parameter.
//!
//! Each is a valid file of its format, or nearly so; what makes it hostile is how much it means.

mod archives;
mod case;
mod headers;
mod pickles;
mod rows;
mod tensors;

pub use case::HostileSize;

/// All of them.
pub fn all() -> Vec<HostileSize> {
    [pickles::ALL, rows::ALL, tensors::ALL, archives::ALL, headers::ALL].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_about_as_asked() {
        for case in all() {
            let length = (case.make)(100_000).len();
            assert!((300..=250_000).contains(&length), "{}: {length} bytes", case.name);
        }
    }

    #[test]
    fn names_are_unique() {
        let names: std::collections::BTreeSet<_> =
            all().iter().map(HostileSize::file_name).collect();
        assert_eq!(names.len(), all().len());
    }
}
