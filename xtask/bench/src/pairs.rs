//! Two operations timed in turn, and how the ratio of their times compares with a target.

use std::io::Write;

use anyhow::Result;

use crate::clock::timed;
use crate::stats::Spread;

/// Prints a row for each pair of operations, and counts the targets that are met.
pub(crate) struct Report {
    pairs: usize,
    /// For each target, whether it was met.
    judgements: Vec<bool>,
}

impl Report {
    /// A report that times each operation `pairs` times.
    pub(crate) fn new(pairs: usize) -> Self {
        Self { pairs, judgements: Vec::new() }
    }

    /// Prints a line above the next rows.
    pub(crate) fn title(&self, title: &str) -> Result<()> {
        writeln!(std::io::stdout(), "\n{title}, medians of {} pairs, ms", self.pairs)?;
        Ok(())
    }

    /// Times two operations in this process; the ratio of their times should be at most `target`.
    pub(crate) fn pair<A, B>(
        &mut self,
        (name, target): (&str, Option<f64>),
        mut ours: impl FnMut() -> Result<A>,
        other_name: &str,
        mut other: impl FnMut() -> Result<B>,
    ) -> Result<()> {
        let other = || Ok(timed(&mut other)?.wall);
        self.pair_with((name, target), &mut ours, other_name, other)
    }

    /// The same with an operation elsewhere, which returns the seconds that it took.
    ///
    /// Both run once before, to warm up.
    pub(crate) fn pair_with<T>(
        &mut self,
        (name, target): (&str, Option<f64>),
        mut ours: impl FnMut() -> Result<T>,
        other_name: &str,
        mut other: impl FnMut() -> Result<f64>,
    ) -> Result<()> {
        other()?;
        ours()?;
        let (mut own, mut others) = (Vec::new(), Vec::new());
        for _ in 0..self.pairs {
            others.push(other()?);
            own.push(timed(&mut ours)?.wall);
        }
        let median = |seconds| Spread::of(seconds).map_or(f64::NAN, |spread| spread.median * 1e3);
        let (own, others) = (median(own), median(others));
        let ratio = own / others;
        let line = format!("{name:<34}{own:>9.2}   {other_name:<34}{others:>9.2}   x {ratio:.3}");
        let judgement = match target.map(|target| (target, is_met(ratio, target))) {
            Some((target, true)) => format!("target {target:.2} met"),
            Some((target, false)) => format!("target {target:.2} MISSED"),
            None => String::new(),
        };
        self.judgements.extend(target.map(|target| is_met(ratio, target)));
        writeln!(std::io::stdout(), "{line}  {judgement}")?;
        Ok(())
    }

    /// Prints how many targets were met.
    pub(crate) fn finish(self) -> Result<()> {
        let met = self.judgements.iter().filter(|is_met| **is_met).count();
        writeln!(std::io::stdout(), "{met} of {} targets met", self.judgements.len())?;
        Ok(())
    }
}

/// Whether a ratio reaches its target, which is an upper bound.
fn is_met(ratio: f64, target: f64) -> bool {
    ratio <= target
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_are_upper_bounds() {
        assert!(is_met(1.15, 1.15));
        assert!(!is_met(1.16, 1.15));
        let mut report = Report::new(3);
        let pause = || {
            std::thread::sleep(std::time::Duration::from_millis(2));
            Ok(())
        };
        for target in [Some(1e9), Some(1e-9), None] {
            report.pair(("sleep", target), pause, "nothing", || Ok(())).unwrap();
        }
        assert_eq!(report.judgements, [true, false]);
    }
}
