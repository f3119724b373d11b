//! The text of `contig_calls.tsv`: a header and a row per contig.

use std::io::{self, Write};

use crate::call::ContigCall;

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

/// A number rounded to three decimals from its exact value, ties to the even digit, as the shortest
/// text with at least one decimal; never a negative zero.
pub(crate) fn three_decimals(value: f64) -> String {
    let rounded = format!("{value:.3}");
    let text = rounded.trim_end_matches('0');
    let text = if text.ends_with('.') { format!("{text}0") } else { text.to_owned() };
    if text == "-0.0" { "0.0".to_owned() } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(value: f64, expected: &str) {
        assert_eq!(three_decimals(value), expected, "{value:?}");
    }

    /// What Python prints for `round(value, 3)`, but for the negative zero.
    #[test]
    fn numbers_are_rounded_from_their_exact_value() {
        check(0.0, "0.0");
        check(-0.0, "0.0");
        check(-0.0004, "0.0");
        check(1.0, "1.0");
        check(-1.0, "-1.0");
        check(0.5, "0.5");
        check(-0.123, "-0.123");
        check(100.0, "100.0");
        // Exact ties go to the even digit.
        check(0.0625, "0.062");
        check(0.1875, "0.188");
        check(-0.0625, "-0.062");
        check(0.5625, "0.562");
        // Not ties: the double is below or above the decimal that it prints as.
        check(0.0005, "0.001");
        check(2.0005, "2.001");
        check(2.6755, "2.675");
        check(0.9995, "1.0");
        check(0.99951, "1.0");
        check(1.0 / 3.0, "0.333");
    }
}
