//! A model of a disk that knows which changes are durable.
//!
//! It assumes that a loss of power is as bad as on any file system in use:
//!
//! * Of the writes to a file since its last sync, any prefix survives, also one that ends within a
//!   write; or all but one of the writes; or the length without the data.
//! * A file that was never synced may be empty, under any name that it got.
//! * Of the changes to a directory since its last sync, any prefix survives, for each directory
//!   independently. So a file may have left one directory without having reached the other.
//! * The sync of a file does not make its name durable. (On ext4 and xfs it does; POSIX does not
//!   promise it.)
//!
//! Journals make many of these states impossible. A save that survives all of them does not rely on one.

mod contents;
mod disk;
mod image;

pub use disk::Disk;
pub use image::{Image, Node};
