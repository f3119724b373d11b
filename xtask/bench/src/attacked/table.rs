//! The table of what was tried, in Markdown.

use std::io::{self, Write as _};

use anyhow::Result;

use super::case::Case;
use super::finding::Finding;
use super::trial::Trial;

/// What both programs took for one case.
pub(crate) struct Row {
    pub(crate) case: String,
    pub(crate) before: Option<Trial>,
    pub(crate) after: Trial,
}

/// A table that grows finding by finding.
pub(crate) struct Table {
    shows_all: bool,
}

impl Table {
    /// Prints the head of the table.
    pub(crate) fn new(shows_all: bool) -> Result<Self> {
        let head =
            "finding: case | command | exit code | CPU s | peak MB | wrong | good | mend | test";
        writeln!(io::stdout(), "| {head} |\n|{}", "---|".repeat(head.split('|').count()))?;
        Ok(Self { shows_all })
    }

    /// Prints all cases of a finding, or the worst one and how many there were.
    pub(crate) fn print(&self, finding: Finding, rows: &[(&Case, Row)]) -> Result<()> {
        let badness = |(case, row): &&(&Case, Row)| {
            (
                if row.after.is_good(case) { 0.0 } else { row.after.badness(case) },
                row.before.as_ref().unwrap_or(&row.after).badness(case),
            )
        };
        let worst = rows.iter().max_by(|a, b| {
            badness(a).partial_cmp(&badness(b)).unwrap_or(std::cmp::Ordering::Equal)
        });
        let good = rows.iter().filter(|(case, row)| row.after.is_good(case)).count();
        let of_all = format!("{good}/{}", rows.len());
        for (case, row) in rows {
            if self.shows_all {
                let good = if row.after.is_good(case) { "yes" } else { "NO" };
                line(finding, case, row, good)?;
            }
        }
        match worst {
            Some((case, row)) if !self.shows_all => line(finding, case, row, &of_all),
            _ => Ok(()),
        }
    }
}

fn line(finding: Finding, case: &Case, row: &Row, good: &str) -> Result<()> {
    let both = |figure: &dyn Fn(&Trial) -> String| match &row.before {
        Some(before) => format!("{} → {}", figure(before), figure(&row.after)),
        None => figure(&row.after),
    };
    let code =
        both(&|trial| trial.code.map_or_else(|| "killed".to_owned(), |code| code.to_string()));
    let cpu = both(&|trial| format!("{:.2}", trial.cpu_seconds));
    let peak = both(&|trial| trial.megabytes.to_string());
    let wrong = match case.wrong {
        "" => String::new(),
        unit => format!("{} {unit}", both(&|trial| trial.wrong.to_string())),
    };
    let figures = format!("{code} | {cpu} | {peak} | {wrong} | {good}");
    let (name, case, command) = (finding.name(), &row.case, &case.command);
    let (mend, test) = (finding.mend(), finding.test());
    Ok(writeln!(io::stdout(), "| {name}: {case} | {command} | {figures} | {mend} | {test} |")?)
}
