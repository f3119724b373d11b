//! The vnp command line.
fn main() {}
