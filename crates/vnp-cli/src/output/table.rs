//! Tables for people: columns of equal width, written row by row.

use std::io::{self, Write};

use vnp_escape::escaped;

/// Letters to which a column is padded at most. A longer cell pushes the rest of its row aside, so that one
/// cell does not make every row as long as itself.
const WIDEST: usize = 60;

/// Writes rows as columns, two spaces apart; the last column is not padded. The rows are computed twice, for
/// the widths and to be written, and never held. Every cell is escaped.
pub(crate) fn table<const N: usize, I>(
    out: &mut (impl Write + ?Sized),
    rows: impl Fn() -> I,
) -> io::Result<()>
where
    I: Iterator<Item = [String; N]>,
{
    let mut widths = [0; N];
    for row in rows() {
        for (width, cell) in widths.iter_mut().zip(&row) {
            *width = WIDEST.min(letters(&escaped(cell).to_string())).max(*width);
        }
    }
    for row in rows() {
        let mut line = String::new();
        for (cell, width) in row.iter().zip(widths) {
            let cell = escaped(cell).to_string();
            line.push_str(&cell);
            line.extend(std::iter::repeat_n(' ', width.saturating_sub(letters(&cell)) + 2));
        }
        writeln!(out, "{}", line.trim_end())?;
    }
    Ok(())
}

fn letters(text: &str) -> usize {
    text.chars().count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check<const N: usize>(rows: &[[&str; N]], expected: &str) {
        let mut text = Vec::new();
        table(&mut text, || rows.iter().map(|row| row.map(str::to_owned))).unwrap();
        assert_eq!(String::from_utf8(text).unwrap(), expected);
    }

    #[test]
    fn columns_line_up() {
        check(&[["a", "bcd", "x"], ["äöü", "", "y"]], "a    bcd  x\näöü       y\n");
        check::<2>(&[], "");
    }

    #[test]
    fn a_cell_forges_no_row_and_no_column() {
        check(
            &[["a\nb", "x"], ["c", "\x1b[31m\u{202e}"]],
            "a\\nb  x\nc     \\u{1b}[31m\\u{202e}\n",
        );
    }

    #[test]
    fn a_long_cell_pads_no_other_row_to_its_length() {
        let long = "x".repeat(1_000_000);
        let mut text = Vec::new();
        let rows = [[long.as_str(), "1"], ["y", "2"]];
        table(&mut text, || rows.iter().map(|row| row.map(str::to_owned))).unwrap();
        let text = String::from_utf8(text).unwrap();
        let (first, second) = text.trim_end().split_once('\n').unwrap();
        assert_eq!(first.len(), long.len() + "  1".len());
        assert_eq!(second, format!("y{:59}  2", ""));
    }
}
