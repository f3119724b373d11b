//! The median of some measurements, and their range.

/// The median, the smallest and the largest value.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Spread {
    pub(crate) median: f64,
    pub(crate) least: f64,
    pub(crate) most: f64,
}

impl Spread {
    /// `None` without values.
    pub(crate) fn of(values: impl IntoIterator<Item = f64>) -> Option<Self> {
        let mut values: Vec<f64> = values.into_iter().collect();
        values.sort_unstable_by(f64::total_cmp);
        let (least, most) = (*values.first()?, *values.last()?);
        let upper = *values.get(values.len() / 2)?;
        let lower = *values.get((values.len() - 1) / 2)?;
        Some(Self { median: f64::midpoint(lower, upper), least, most })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(values: &[f64], expected: Option<[f64; 3]>) {
        let found = Spread::of(values.iter().copied());
        assert_eq!(found.map(|s| [s.median, s.least, s.most]), expected, "{values:?}");
    }

    #[test]
    fn the_middle_one_or_between_the_middle_two() {
        check(&[], None);
        check(&[2.0], Some([2.0; 3]));
        check(&[5.0, 1.0, 3.0], Some([3.0, 1.0, 5.0]));
        check(&[4.0, 1.0, 3.0, 10.0], Some([3.5, 1.0, 10.0]));
    }
}
