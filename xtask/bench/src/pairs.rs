//! Two operations timed in turn.

use std::io::Write;
use std::time::{Duration, Instant};

use anyhow::Result;

/// What was measured so far, printed as it comes.
pub(crate) struct Report {
    pairs: usize,
    rows: Vec<Row>,
}

/// One operation of ours beside one of somebody else.
pub(crate) struct Row {
    ratio: f64,
    target: Option<f64>,
}

impl Row {
    /// Whether the target, if there is one, was met.
    pub(crate) fn is_met(&self) -> Option<bool> {
        self.target.map(|target| self.ratio <= target)
    }
}

impl Report {
    pub(crate) fn new(pairs: usize) -> Self {
        Self { pairs, rows: Vec::new() }
    }

    pub(crate) fn rows(&self) -> &[Row] {
        &self.rows
    }

    /// A line above the next ones.
    pub(crate) fn title(&self, title: &str) -> Result<()> {
        writeln!(std::io::stdout(), "\n{title}, medians of {} pairs, ms", self.pairs)?;
        Ok(())
    }

    /// Times `ours` and `other` in turn; each returns how long it took, once before that to warm
    /// up.
    pub(crate) fn pair(
        &mut self,
        (name, target): (&str, Option<f64>),
        mut ours: impl FnMut() -> Result<Duration>,
        other_name: &str,
        mut other: impl FnMut() -> Result<Duration>,
    ) -> Result<()> {
        other()?;
        ours()?;
        let (mut own, mut others) = (Vec::new(), Vec::new());
        for _ in 0..self.pairs {
            others.push(other()?);
            own.push(ours()?);
        }
        let (own, others) = (median(own), median(others));
        let ratio = own / others;
        let row = Row { ratio, target };
        let judgement = match (target, row.is_met()) {
            (Some(target), Some(true)) => format!("target {target:.2} met"),
            (Some(target), _) => format!("target {target:.2} MISSED"),
            _ => String::new(),
        };
        let line = format!("{name:<34}{own:>9.2}   {other_name:<34}{others:>9.2}   x {ratio:.3}");
        writeln!(std::io::stdout(), "{line}  {judgement}")?;
        self.rows.push(row);
        Ok(())
    }
}

/// Runs something and says how long it took; what it gives is dropped after the clock stopped.
pub(crate) fn timed<T>(run: impl FnOnce() -> Result<T>) -> Result<Duration> {
    let start = Instant::now();
    let kept = run()?;
    let time = start.elapsed();
    drop(kept);
    Ok(time)
}

/// In milliseconds.
fn median(mut times: Vec<Duration>) -> f64 {
    times.sort_unstable();
    let middle = times.get(times.len() / 2).copied().unwrap_or_default();
    middle.as_secs_f64() * 1e3
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_middle_one() {
        let times = [5, 1, 3].map(Duration::from_millis).to_vec();
        assert!((median(times) - 3.0).abs() < 1e-9);
    }

    #[test]
    fn targets_are_upper_bounds() {
        assert_eq!(Row { ratio: 1.15, target: Some(1.15) }.is_met(), Some(true));
        assert_eq!(Row { ratio: 1.16, target: Some(1.15) }.is_met(), Some(false));
        assert_eq!(Row { ratio: 9.0, target: None }.is_met(), None);
    }
}
