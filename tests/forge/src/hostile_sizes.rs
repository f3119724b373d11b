//! Files that ask a reader for far more memory or time than their own size: one builder for each way,
//! with the size of the file as a parameter.
//!
//! Each is a valid file of its format, or nearly so; what makes it hostile is how much it means.

mod archives;
mod headers;
mod pickles;
mod rows;
mod tensors;

/// A way to ask for too much.
#[derive(Clone, Copy, Debug)]
pub struct HostileSize {
    /// Its name, unique, in snake case.
    pub name: &'static str,
    /// The extension of its format, without the dot.
    pub extension: &'static str,
    /// How it asks for more than it has.
    pub description: &'static str,
    /// The bytes of a file of about this many bytes.
    pub make: fn(usize) -> Vec<u8>,
}

impl HostileSize {
    /// The name of the file that it is written to.
    #[must_use]
    pub fn file_name(&self) -> String {
        format!("{}.{}", self.name, self.extension)
    }
}

/// All of them.
pub fn all() -> Vec<HostileSize> {
    [pickles::ALL, rows::ALL, tensors::ALL, archives::ALL, headers::ALL].concat()
}

/// `HostileSize`s of builders: the name of each is that of its function.
macro_rules! hostile {
    ($($function:ident . $extension:ident: $description:literal)*) => {
        pub(super) const ALL: &[super::HostileSize] = &[$(super::HostileSize {
            name: stringify!($function),
            extension: stringify!($extension),
            description: $description,
            make: $function,
        }),*];
    };
}

use hostile;

/// Joins the pieces of a file of some megabytes: each is copied once.
fn joined(pieces: &[&[u8]]) -> Vec<u8> {
    pieces.concat()
}

/// The bytes of numbered pieces, until `size` is reached.
fn numbered(size: usize, piece: impl Fn(usize) -> Vec<u8>) -> (usize, Vec<u8>) {
    let mut out = Vec::with_capacity(size);
    let mut count = 0;
    while out.len() < size {
        out.extend(piece(count));
        count += 1;
    }
    (count, out)
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
