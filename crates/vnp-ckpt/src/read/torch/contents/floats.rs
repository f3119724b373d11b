//! Floats of a pickle as the elements of a tensor.

use super::super::pickle::{Item, Tree};

/// A float in 32 bits, and whether it is the same.
pub(super) fn narrow(value: f64) -> (f32, bool) {
    let narrow = value as f32;
    (narrow, f64::from(narrow).to_bits() == value.to_bits())
}

/// Writes the floats of lists one behind the other; whether all were exact.
pub(super) fn fill<T>(
    tree: &Tree<'_>,
    lists: &[&[Item]],
    mut into: &mut [T],
    convert: impl Fn(f64) -> (T, bool),
) -> bool {
    let mut exact = true;
    for &item in lists.iter().copied().flatten() {
        let one = if let Item::Float(value) = item { Some(value) } else { None };
        let run = tree.floats(item);
        let (here, rest) =
            into.split_at_mut((run.len() + usize::from(one.is_some())).min(into.len()));
        for (to, value) in here.iter_mut().zip(run.chain(one)) {
            let (value, same) = convert(value);
            exact &= same;
            *to = value;
        }
        if !exact {
            return false;
        }
        into = rest;
    }
    exact
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_32_bits_hold() {
        let exact = |value: f64| narrow(value).1;
        assert!(exact(0.5) && exact(-0.0) && exact(f64::INFINITY) && exact(f64::NAN));
        assert!(exact(f64::from(f32::MIN_POSITIVE / 2.0)) && exact(f64::from(f32::MAX)));
        assert!(!exact(0.1) && !exact(1e300) && !exact(1e-300));
    }
}
