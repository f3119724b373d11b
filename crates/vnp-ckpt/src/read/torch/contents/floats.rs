//! Floats of a pickle as the elements of a tensor.

use crate::read::torch::pickle::tree::{Item, Tree};

/// A float in 32 bits, and whether it is the same.
pub(super) fn narrow(value: f64) -> (f32, bool) {
    if value.is_nan() {
        // A conversion would make it quiet and so change it.
        let bits = value.to_bits();
        let payload = (bits >> 29) as u32 & 0x007f_ffff;
        let narrow = ((bits >> 63) as u32) << 31 | 0x7f80_0000 | payload;
        return (f32::from_bits(narrow), bits.trailing_zeros() >= 29);
    }
    let narrow = value as f32;
    (narrow, f64::from(narrow).to_bits() == value.to_bits())
}

/// Writes the floats of lists one after the other; whether all were exact.
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
        let [quiet, loud, wide] =
            [0x7ff8 << 48, 0xfff4 << 48, 0x7ff8 << 48 | 1].map(f64::from_bits);
        assert_eq!((narrow(quiet).0.to_bits(), exact(quiet)), (0x7fc0_0000, true));
        assert_eq!((narrow(loud).0.to_bits(), exact(loud)), (0xffa0_0000, true));
        assert!(!exact(wide));
        assert!(exact(f64::from(f32::MIN_POSITIVE / 2.0)) && exact(f64::from(f32::MAX)));
        assert!(!exact(0.1) && !exact(1e300) && !exact(1e-300));
    }
}
