//! Stored floats as numbers of the type that is computed in.

use half::slice::HalfFloatSliceExt;
use half::{bf16, f16};
use safetensors::Dtype;

/// A type of number that weights are loaded as.
pub(crate) trait Number: Copy {
    /// Adds values to `into`, each rounded to the nearest.
    fn extend(into: &mut Vec<Self>, values: &[f32]);
}

impl Number for f32 {
    fn extend(into: &mut Vec<Self>, values: &[f32]) {
        into.extend_from_slice(values);
    }
}

impl Number for f16 {
    fn extend(into: &mut Vec<Self>, values: &[f32]) {
        extend_halves(into, values, Self::ZERO, |into, values| into.convert_from_f32_slice(values));
    }
}

impl Number for bf16 {
    fn extend(into: &mut Vec<Self>, values: &[f32]) {
        extend_halves(into, values, Self::ZERO, |into, values| into.convert_from_f32_slice(values));
    }
}

fn extend_halves<H: Copy>(
    into: &mut Vec<H>,
    values: &[f32],
    zero: H,
    convert: impl Fn(&mut [H], &[f32]),
) {
    let before = into.len();
    into.resize(before + values.len(), zero);
    let (_, new) = into.split_at_mut(before);
    convert(new, values);
}

/// Values converted at a time, in a core's first cache.
const BLOCK: usize = 1024;

/// Adds stored elements of type F32, F16 or BF16 to `into`; those of another type are not there.
pub(super) fn extend<T: Number>(dtype: Dtype, bytes: &[u8], into: &mut Vec<T>) {
    let mut values = [0.0_f32; BLOCK];
    into.reserve(bytes.len() * 8 / dtype.bitsize().max(1));
    match dtype {
        Dtype::F32 => {
            for block in bytes.as_chunks().0.chunks(BLOCK) {
                let (values, _) = values.split_at_mut(block.len());
                for (value, bytes) in values.iter_mut().zip(block) {
                    *value = f32::from_le_bytes(*bytes);
                }
                T::extend(into, values);
            }
        }
        Dtype::F16 => {
            let mut halves = [f16::ZERO; BLOCK];
            for block in bytes.as_chunks().0.chunks(BLOCK) {
                let (halves, _) = halves.split_at_mut(block.len());
                for (half, bytes) in halves.iter_mut().zip(block) {
                    *half = f16::from_le_bytes(*bytes);
                }
                let (values, _) = values.split_at_mut(block.len());
                halves.convert_to_f32_slice(values);
                T::extend(into, values);
            }
        }
        Dtype::BF16 => {
            for block in bytes.as_chunks().0.chunks(BLOCK) {
                let (values, _) = values.split_at_mut(block.len());
                for (value, bytes) in values.iter_mut().zip(block) {
                    *value = bf16::from_le_bytes(*bytes).to_f32();
                }
                T::extend(into, values);
            }
        }
        _ => {}
    }
}
