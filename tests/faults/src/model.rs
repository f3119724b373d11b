//! A disk that remembers what was brought to it.
//!
//! What a loss of power may leave is taken to be as bad as any file system in use makes it:
//!
//! * Of what was written to a file since it was last brought to disk, any prefix is there, also one
//!   that ends within a write; or all but one of the writes; or the length without the data.
//! * A file that was never brought to disk may be empty, under any name that it got.
//! * Of the changes to a directory since it was last brought to disk, any prefix is there, for each
//!   directory by itself. So a file may have left one directory without having reached the other.
//! * Bringing a file to disk does not bring its name there. (ext4 and xfs do; POSIX does not say so.)
//!
//! Journals make many of these states impossible. A save that passes all of them relies on none.

mod contents;
mod disk;
mod image;

pub use disk::Disk;
pub use image::{Image, Node};
