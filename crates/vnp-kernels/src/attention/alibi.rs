//! The slopes of attention with linear biases.

/// The slopes of the ALiBi paper (Press et al., ICLR 2022), one per head: for a power of two n the
/// powers of `2^(-8/n)`; otherwise those of the next lower power of two, then every other slope of
/// twice that.
pub fn alibi_slopes(heads: usize) -> Vec<f32> {
    let lower = if heads.is_power_of_two() { heads } else { heads.next_power_of_two() / 2 };
    powers(lower).chain(powers(2 * lower).step_by(2)).take(heads).collect()
}

fn powers(heads: usize) -> impl Iterator<Item = f32> {
    (1..=heads).map(move |head| (-8.0 * head as f64 / heads as f64).exp2() as f32)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(heads: usize, exponents: &[f64]) {
        let expected: Vec<f32> = exponents.iter().map(|e| (-e).exp2() as f32).collect();
        assert_eq!(alibi_slopes(heads), expected);
    }

    #[test]
    fn slopes_follow_the_paper() {
        check(1, &[8.]);
        check(2, &[4., 8.]);
        check(3, &[4., 8., 2.]);
        check(8, &[1., 2., 3., 4., 5., 6., 7., 8.]);
        check(12, &[1., 2., 3., 4., 5., 6., 7., 8., 0.5, 1.5, 2.5, 3.5]);
    }
}
