//! Values that no network has: NaN, infinities, and variances below zero.

use safetensors::Dtype;

use super::convert::Float;
use crate::error::Error;
use crate::error::weights::WeightsError;

/// The ending of the name of a tensor of variances.
const VARIANCE: &str = "running_var";

/// Refuses a tensor with such a value; `file` and `name` are for the message.
///
/// # Errors
/// [`WeightsError::BadValue`] with the first one.
pub(crate) fn check(
    (file, name): (&str, &str),
    dtype: Dtype,
    shape: &[usize],
    bytes: &[u8],
) -> Result<(), Error> {
    let Some(float) = Float::of(dtype) else { return Ok(()) };
    let not_finite = float.checkpoint_dtype().first_non_finite(bytes);
    let negative = name.ends_with(VARIANCE).then(|| first_negative(float, bytes)).flatten();
    let Some(element) = not_finite.into_iter().chain(negative).min() else { return Ok(()) };
    let size = float.checkpoint_dtype().size_bytes();
    let mut value = Vec::<f32>::new();
    float.extend(
        bytes.get(element * size..).and_then(|rest| rest.get(..size)).unwrap_or_default(),
        &mut value,
    );
    let found = match value.first() {
        Some(value) if value.is_finite() => format!("a variance of {value}"),
        Some(value) => value.to_string(),
        None => "a value that is not finite".to_owned(),
    };
    let index = index_of(element, shape);
    let (file, name) = (file.to_owned(), name.to_owned());
    Err(WeightsError::BadValue { file, name, index, found }.into())
}

fn first_negative(float: Float, bytes: &[u8]) -> Option<usize> {
    let mut values = Vec::<f32>::new();
    float.extend(bytes, &mut values);
    values.iter().position(|value| *value < 0.0)
}

/// The index of an element in each dimension, from its number in row-major order.
pub(crate) fn index_of(element: usize, shape: &[usize]) -> Vec<usize> {
    let mut rest = element;
    let mut index: Vec<usize> = shape
        .iter()
        .rev()
        .map(|&size| {
            let size = size.max(1);
            let here = rest % size;
            rest /= size;
            here
        })
        .collect();
    index.reverse();
    index
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_f32(name: &str, values: &[f32], expected: Option<(&[usize], &str)>) {
        let shape = [values.len() / 2, 2];
        let bytes: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        let found = match check(("f", name), Dtype::F32, &shape, &bytes) {
            Ok(()) => None,
            Err(Error::Weights(WeightsError::BadValue { index, found, .. })) => {
                Some((index, found))
            }
            Err(error) => panic!("{error}"),
        };
        let expected = expected.map(|(index, found)| (index.to_vec(), found.to_owned()));
        assert_eq!(found, expected);
    }

    #[test]
    fn the_first_bad_value_is_named() {
        check_f32("a.weight", &[1.0, -1.0, 0.0, -0.0], None);
        check_f32("a.weight", &[1.0, 2.0, 3.0, f32::NAN], Some((&[1, 1], "NaN")));
        check_f32("a.weight", &[1.0, 2.0, f32::INFINITY, f32::NAN], Some((&[1, 0], "inf")));
        check_f32("bn1.running_var", &[0.0, -0.0, 1.0, 2.0], None);
        let negative = Some((&[0, 1][..], "a variance of -1"));
        check_f32("bn1.running_var", &[0.0, -1.0, 1.0, f32::NAN], negative);
        check_f32("bn1.running_mean", &[0.0, -1.0], None);
    }

    #[test]
    fn halves_and_other_types() {
        let bad = |dtype, bytes: &[u8]| check(("f", "w"), dtype, &[2], bytes).is_err();
        assert!(bad(Dtype::F16, &[0, 0, 0, 0x7c]) && !bad(Dtype::F16, &[0, 0, 0xff, 0x7b]));
        assert!(bad(Dtype::BF16, &[0, 0, 0x80, 0xff]) && !bad(Dtype::BF16, &[0, 0, 0x7f, 0x7f]));
        assert!(!bad(Dtype::I64, &[0xff; 16]));
        assert_eq!(index_of(0, &[]), Vec::<usize>::new());
    }
}
