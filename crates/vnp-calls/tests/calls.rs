//! Calls of contigs and of reads as a user of the library sees them: against an implementation in Python,
//! from BAM, and the errors of broken files.

#![expect(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

#[path = "calls/bam.rs"]
mod bam;
#[path = "calls/broken.rs"]
mod broken;
#[path = "calls/reference.rs"]
mod reference;
#[path = "calls/support.rs"]
mod support;
