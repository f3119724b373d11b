//! A sum of doubles that is rounded once, at its end: the order of the addends changes no bit of it.
//!
//! The method is Shewchuk's (Adaptive Precision Floating-Point Arithmetic, 1997), with the rule for
//! ties of Python's `math.fsum`, whose results it equals.

use serde::{Deserialize, Serialize};

/// The exact sum of finite doubles.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ExactSum {
    /// Doubles whose bits do not overlap, of growing size, none of which is zero: their sum is exact.
    partials: Vec<f64>,
}

impl ExactSum {
    /// Adds one finite number.
    pub fn add(&mut self, addend: f64) {
        let mut x = addend;
        let mut kept = 0;
        for index in 0..self.partials.len() {
            let Some(&(mut y)) = self.partials.get(index) else { break };
            if x.abs() < y.abs() {
                (x, y) = (y, x);
            }
            let high = x + y;
            let low = y - (high - x);
            if low != 0.0 {
                if let Some(partial) = self.partials.get_mut(kept) {
                    *partial = low;
                }
                kept += 1;
            }
            x = high;
        }
        self.partials.truncate(kept);
        if x != 0.0 {
            self.partials.push(x);
        }
    }

    /// Adds what `other` holds, exactly.
    pub fn merge(&mut self, other: &Self) {
        for &partial in &other.partials {
            self.add(partial);
        }
    }

    /// The double that is nearest to the sum; of two that are equally near, the even one.
    #[must_use]
    pub fn value(&self) -> f64 {
        let mut rest = self.partials.iter().rev().copied();
        let mut high = rest.next().unwrap_or(0.0);
        let mut low = 0.0;
        for y in rest.by_ref() {
            let x = high;
            high = x + y;
            low = y - (high - x);
            if low != 0.0 {
                break;
            }
        }
        // `low` was rounded away. If it is half a unit, what is below it decides: of the same sign
        // it makes the half more than a half.
        let decides = rest.next().unwrap_or(0.0);
        if (low < 0.0 && decides < 0.0) || (low > 0.0 && decides > 0.0) {
            let twice = low * 2.0;
            let up = high + twice;
            if twice == up - high {
                return up;
            }
        }
        high
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(addends: &[f64], expected: f64) {
        for reversed in [false, true] {
            let mut sum = ExactSum::default();
            let (mut left, mut right) = (ExactSum::default(), ExactSum::default());
            let mut addends = addends.to_vec();
            if reversed {
                addends.reverse();
            }
            for (index, &addend) in addends.iter().enumerate() {
                sum.add(addend);
                if index % 3 == 0 { left.add(addend) } else { right.add(addend) }
            }
            left.merge(&right);
            assert_eq!(sum.value().to_bits(), expected.to_bits(), "{addends:?}");
            assert_eq!(left.value().to_bits(), expected.to_bits(), "merged {addends:?}");
        }
    }

    /// The cases of CPython's own tests of `math.fsum`, and others; the values are exact.
    #[test]
    fn sums_are_rounded_once() {
        check(&[], 0.0);
        check(&[-0.0, -0.0], 0.0);
        check(&[0.1; 10], 1.0);
        check(&[1e100, 1.0, -1e100, 1e-100, 1e50, -1.0, -1e50], 1e-100);
        let unit = 2.0_f64.powi(53);
        check(&[unit, -0.5, -(2.0_f64.powi(-54))], unit - 1.0);
        check(&[unit, 1.0, 2.0_f64.powi(-100)], unit + 2.0);
        check(&[unit + 10.0, 1.0, 2.0_f64.powi(-100)], unit + 12.0);
        check(&[unit - 4.0, 0.5, 2.0_f64.powi(-54)], unit - 3.0);
        check(&[unit, 1.0], unit);
        check(&[-unit, -1.0, -(2.0_f64.powi(-100))], -unit - 2.0);
        check(&[1e16, 1.0, 1e-16], 10_000_000_000_000_002.0);
        check(
            &[1e16 - 2.0, 1.0 - 2.0_f64.powi(-53), -(1e16 - 2.0), -(1.0 - 2.0_f64.powi(-53))],
            0.0,
        );
    }
}
