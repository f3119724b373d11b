//! The text of `contig_calls.tsv`: a header and a row per contig.

use std::io::{self, Write};

use crate::call::ContigCall;
use crate::numbers::three_decimals;

/// The columns of `contig_calls.tsv`, in order. [`ContigCall`] describes all but the first, which is the contig's id.
pub const CONTIG_COLUMNS: [&str; 10] = [
    "ID",
    "call",
    "tier",
    "weighted_delta",
    "n_chunks",
    "n_confident_viral",
    "n_confident_nonviral",
    "n_ambiguous",
    "viral_proportion",
    "nonviral_proportion",
];

/// Writes the header of `contig_calls.tsv`.
///
/// # Errors
///
/// What `out` fails with.
pub fn write_header(out: &mut impl Write) -> io::Result<()> {
    writeln!(out, "{}", CONTIG_COLUMNS.join("\t"))
}

/// Writes the row of a contig. The id is written as it is: it holds no tab and no line end, as no id of a FASTA header does.
///
/// # Errors
///
/// What `out` fails with.
pub fn write_row(out: &mut impl Write, id: &[u8], call: &ContigCall) -> io::Result<()> {
    out.write_all(id)?;
    writeln!(out, "\t{}", row(call))
}

/// The columns after the id.
pub(crate) fn row(call: &ContigCall) -> String {
    format!(
        "{}\t{}\t{}\t{}\t{}\t{}\t{}\t{}\t{}",
        call.call.name(),
        call.tier.name(),
        three_decimals(call.weighted_delta),
        call.n_chunks,
        call.n_confident_viral,
        call.n_confident_nonviral,
        call.n_ambiguous,
        three_decimals(call.viral_proportion),
        three_decimals(call.nonviral_proportion),
    )
}
