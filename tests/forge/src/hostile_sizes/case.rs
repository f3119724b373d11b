//! A way to ask for too much, and what its builders share.

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

/// `HostileSize`s of builders: the name of each is that of its function.
macro_rules! hostile {
    ($($function:ident . $extension:ident: $description:literal)*) => {
        pub(super) const ALL: &[HostileSize] = &[$(HostileSize {
            name: stringify!($function),
            extension: stringify!($extension),
            description: $description,
            make: $function,
        }),*];
    };
}

pub(super) use hostile;

/// Joins the pieces of a file of some megabytes: each is copied once.
pub(super) fn joined(pieces: &[&[u8]]) -> Vec<u8> {
    pieces.concat()
}

/// The bytes of numbered pieces, until `size` is reached.
pub(super) fn numbered(size: usize, piece: impl Fn(usize) -> Vec<u8>) -> (usize, Vec<u8>) {
    let mut out = Vec::with_capacity(size);
    let mut count = 0;
    while out.len() < size {
        out.extend(piece(count));
        count += 1;
    }
    (count, out)
}
