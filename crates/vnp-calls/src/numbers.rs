//! Numbers as the tables print them, digit for digit as Python and NumPy do.

use std::fmt::{Display, LowerExp};

/// A number rounded to three decimals from its exact value, ties to the even digit, as the shortest
/// text with at least one decimal; never a negative zero.
pub(crate) fn three_decimals(value: f64) -> String {
    let rounded = format!("{value:.3}");
    let text = rounded.trim_end_matches('0');
    let text = if text.ends_with('.') { format!("{text}0") } else { text.to_owned() };
    if text == "-0.0" { "0.0".to_owned() } else { text }
}

/// A number as Python prints a `float`: the shortest text that reads back as the same number.
///
/// ```
/// assert_eq!(vnp_calls::python_text(f64::from(0.1_f32)), "0.10000000149011612");
/// assert_eq!(vnp_calls::python_text(2.5e-8), "2.5e-08");
/// ```
#[must_use]
pub fn python_text(number: f64) -> String {
    let size = number.abs();
    shortest(number, size == 0.0 || (1e-4..1e16).contains(&size))
}

/// A number as NumPy prints a `float32`, which has fewer digits than the `float` of the same value.
///
/// ```
/// assert_eq!(vnp_calls::numpy_text(0.1), "0.1");
/// ```
#[must_use]
pub fn numpy_text(number: f32) -> String {
    let size = number.abs();
    shortest(number, size == 0.0 || (1e-4..1e16).contains(&size))
}

/// Positional, with at least one digit after the point, or scientific, with at least two digits of exponent.
fn shortest(number: impl Display + LowerExp, is_positional: bool) -> String {
    if is_positional {
        // Rust's `Debug` switches to scientific at other bounds; `Display` never does.
        let text = number.to_string();
        return if text.contains('.') { text } else { format!("{text}.0") };
    }
    let text = format!("{number:e}");
    match text.split_once("e-") {
        Some((digits, exponent)) => format!("{digits}e-{exponent:0>2}"),
        None => text.replace('e', "e+"),
    }
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
        check(1.0 / 3.0, "0.333");
    }

    #[test]
    fn numbers_are_printed_as_python_does() {
        let check = |value: f64, expected: &str| assert_eq!(python_text(value), expected);
        check(0.0, "0.0");
        check(100.0, "100.0");
        check(200.0 / 3.0, "66.66666666666667");
        check(1e-4, "0.0001");
        check(1e-5, "1e-05");
        check(2.5e-8, "2.5e-08");
        check(1e16, "1e+16");
        check(123_456_789_012_345_680.0, "1.2345678901234568e+17");
    }

    /// Expected texts are what numpy 2 prints for `numpy.float32(x)`.
    #[test]
    fn numbers_are_printed_as_numpy_does() {
        let check = |score: f32, expected: &str| assert_eq!(numpy_text(score), expected);
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
    fn widened_numbers_are_printed_as_python_does() {
        let check = |score: f32, expected: &str| assert_eq!(python_text(score.into()), expected);
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
