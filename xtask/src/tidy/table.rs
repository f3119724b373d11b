//! Reads tables from Markdown: the rules of tidy stand in a document that people read.

use anyhow::{Context, Result};

/// Whether `line` is a row of a table.
pub(super) fn is_row(line: &str) -> bool {
    line.starts_with('|')
}

/// The rows below the header `header`, each as the text of its cells.
pub(super) fn rows(text: &str, header: &str) -> Result<Vec<Vec<String>>> {
    let mut lines = text.lines().skip_while(|line| line.trim_end() != header);
    lines.next().with_context(|| format!("no table {header}"))?;
    let rows = lines.skip(1).take_while(|line| is_row(line)).map(cells);
    Ok(rows.collect())
}

/// The parts of a cell that stand between backticks.
pub(super) fn quoted(cell: &str) -> Vec<String> {
    cell.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

fn cells(row: &str) -> Vec<String> {
    row.trim().trim_matches('|').split('|').map(|cell| cell.trim().to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_end_where_the_table_ends() {
        let text =
            "| x |\n|---|\n| no |\n\n| a | b |\n|---|---|\n| `c`, `d e` | f |\n\n| g | h |\n";
        assert_eq!(rows(text, "| a | b |").unwrap(), [["`c`, `d e`", "f"]]);
        assert_eq!(quoted("`c`, `d e`"), ["c", "d e"]);
        assert!(rows(text, "| b | a |").is_err());
    }
}
