//! Scores as text, digit for digit as Python and NumPy print them in the published tools.

use std::fmt::{Display, LowerExp};

/// A score as the original prints it: numpy's shortest text of a `float32`.
pub(crate) fn score_text(score: f32) -> String {
    let size = score.abs();
    shortest(score, size == 0.0 || (1e-4..1e16).contains(&size))
}

/// A score as Python prints the `float` that a `float32` widens to: the shortest text of the double.
pub(crate) fn widened_text(score: f32) -> String {
    let (score, size) = (f64::from(score), f64::from(score.abs()));
    shortest(score, size == 0.0 || (1e-4..1e16).contains(&size))
}

/// Positional for 1e-4 <= |x| < 1e16 and for zero, with at least one digit after the point;
/// otherwise scientific with at least two exponent digits, as `numpy.float32.__str__` and Python's
/// `repr` do.
fn shortest(number: impl Display + LowerExp, is_positional: bool) -> String {
    if is_positional {
        // Rust's `Debug` switches to scientific at other bounds; `Display` never does.
        let text = number.to_string();
        return if text.contains('.') { text } else { format!("{text}.0") };
    }
    let text = format!("{number:e}");
    match text.split_once('e') {
        Some((digits, exponent)) => {
            let (sign, exponent) = match exponent.strip_prefix('-') {
                Some(exponent) => ('-', exponent),
                None => ('+', exponent),
            };
            format!("{digits}e{sign}{exponent:0>2}")
        }
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(score: f32, expected: &str) {
        assert_eq!(score_text(score), expected);
    }

    /// Expected texts are what numpy 2 prints for `numpy.float32(x)`.
    #[test]
    fn scores_read_as_numpy_prints_them() {
        check(0.0, "0.0");
        check(-0.0, "-0.0");
        check(1.0, "1.0");
        check(0.5, "0.5");
        check(0.1, "0.1");
        check(0.993_642_57, "0.99364257");
        check(0.006_357_423, "0.006357423");
        check(0.000_1, "0.0001");
        check(0.000_099_99, "9.999e-05");
        check(1e-5, "1e-05");
        check(8.2e-7, "8.2e-07");
        check(4.123_456_7e-10, "4.1234566e-10");
        check(1e-45, "1e-45");
        check(16_777_216.0, "16777216.0");
        check(1e15, "1000000000000000.0");
        check(1e16, "1e+16");
        check(f32::MAX, "3.4028235e+38");
    }

    /// Expected texts are what Python prints for `float(numpy.float32(x))`.
    #[test]
    fn widened_scores_read_as_python_prints_them() {
        let check = |score: f32, expected: &str| assert_eq!(widened_text(score), expected);
        check(0.0, "0.0");
        check(1.0, "1.0");
        check(0.1, "0.10000000149011612");
        check(0.8, "0.800000011920929");
        check(0.000_1, "9.999999747378752e-05");
        check(0.000_100_1, "0.00010009999823523685");
        check(1e-5, "9.999999747378752e-06");
        check(1e-45, "1.401298464324817e-45");
        check(16_777_216.0, "16777216.0");
    }
}
