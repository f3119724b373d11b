//! Writing rows as FASTA in the layout of the original: one line per sequence.

use std::io::{self, Write};

use crate::outcome::FrameRow;

/// Writes the nucleotide windows of `rows`; `out` should be buffered.
///
/// # Errors
/// Those of `out`.
pub fn write_nucleotide_fasta(out: &mut impl Write, rows: &[FrameRow]) -> io::Result<()> {
    rows.iter().try_for_each(|row| write_record(out, &row.raw_id(), &row.nucleotide))
}

/// Writes the proteins of `rows`; `out` should be buffered.
///
/// # Errors
/// Those of `out`.
pub fn write_protein_fasta(out: &mut impl Write, rows: &[FrameRow]) -> io::Result<()> {
    rows.iter().try_for_each(|row| write_record(out, &row.raw_id(), &row.protein))
}

fn write_record(out: &mut impl Write, id: &[u8], sequence: &str) -> io::Result<()> {
    [b">", id, b"\n", sequence.as_bytes(), b"\n"]
        .into_iter()
        .try_for_each(|part| out.write_all(part))
}
