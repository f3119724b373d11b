//! Calls of contigs and of reads as a user of the library sees them: against an implementation in Python,
//! from BAM, and what is said about broken files.

#[path = "calls/bam.rs"]
mod bam;
#[path = "calls/broken.rs"]
mod broken;
#[path = "calls/reference.rs"]
mod reference;
#[path = "calls/support.rs"]
mod support;
