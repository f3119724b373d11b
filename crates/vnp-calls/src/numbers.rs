//! Numbers as the tables print them.

/// A number rounded to three decimals from its exact value, ties to the even digit, as the shortest
/// text with at least one decimal; never a negative zero.
pub(crate) fn three_decimals(value: f64) -> String {
    let rounded = format!("{value:.3}");
    let text = rounded.trim_end_matches('0');
    let text = if text.ends_with('.') { format!("{text}0") } else { text.to_owned() };
    if text == "-0.0" { "0.0".to_owned() } else { text }
}

/// The shortest text that reads back as the same number, as Python prints it: `98.5`, `100.0`, `2.5e-08`.
pub(crate) fn shortest(value: f64) -> String {
    let size = value.abs();
    if size == 0.0 || (1e-4..1e16).contains(&size) {
        return format!("{value:?}");
    }
    let text = format!("{value:e}");
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
        let check = |value: f64, expected: &str| assert_eq!(shortest(value), expected);
        check(0.0, "0.0");
        check(100.0, "100.0");
        check(200.0 / 3.0, "66.66666666666667");
        check(1e-4, "0.0001");
        check(1e-5, "1e-05");
        check(2.5e-8, "2.5e-08");
        check(1e16, "1e+16");
        check(123_456_789_012_345_680.0, "1.2345678901234568e+17");
    }
}
