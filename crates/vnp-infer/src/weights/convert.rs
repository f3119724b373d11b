//! Converting stored floats to numbers of the type that is computed in.

use half::slice::HalfFloatSliceExt;
use half::{bf16, f16};
use safetensors::Dtype;

/// A type of number that weights are converted to.
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

/// Values converted at a time: they stay in a core's first cache.
const BLOCK: usize = 1024;

/// A type that weights are stored in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Float {
    F32,
    F16,
    Bf16,
}

impl Float {
    /// The type, if it is one that weights may have.
    pub(super) fn of(dtype: Dtype) -> Option<Self> {
        match dtype {
            Dtype::F32 => Some(Self::F32),
            Dtype::F16 => Some(Self::F16),
            Dtype::BF16 => Some(Self::Bf16),
            _ => None,
        }
    }

    /// The same type of a checkpoint.
    pub(super) fn checkpoint_dtype(self) -> vnp_ckpt::Dtype {
        match self {
            Self::F32 => vnp_ckpt::Dtype::F32,
            Self::F16 => vnp_ckpt::Dtype::F16,
            Self::Bf16 => vnp_ckpt::Dtype::Bf16,
        }
    }

    /// Adds stored elements, little-endian, to `into`.
    pub(super) fn extend<T: Number>(self, bytes: &[u8], into: &mut Vec<T>) {
        match self {
            Self::F32 => extend(bytes, into, |blocks: &[[u8; 4]], values| {
                for (value, bytes) in values.iter_mut().zip(blocks) {
                    *value = f32::from_le_bytes(*bytes);
                }
            }),
            Self::F16 => {
                let mut halves = [f16::ZERO; BLOCK];
                extend(bytes, into, |blocks: &[[u8; 2]], values| {
                    let (halves, _) = halves.split_at_mut(blocks.len());
                    for (half, bytes) in halves.iter_mut().zip(blocks) {
                        *half = f16::from_le_bytes(*bytes);
                    }
                    halves.convert_to_f32_slice(values);
                });
            }
            Self::Bf16 => extend(bytes, into, |blocks: &[[u8; 2]], values| {
                for (value, bytes) in values.iter_mut().zip(blocks) {
                    *value = bf16::from_le_bytes(*bytes).to_f32();
                }
            }),
        }
    }
}

/// Adds elements of `SIZE` bytes to `into`, a block at a time, by way of f32.
fn extend<const SIZE: usize, T: Number>(
    bytes: &[u8],
    into: &mut Vec<T>,
    mut convert: impl FnMut(&[[u8; SIZE]], &mut [f32]),
) {
    let mut values = [0.0_f32; BLOCK];
    let elements = bytes.as_chunks().0;
    into.reserve(elements.len());
    for block in elements.chunks(BLOCK) {
        let (values, _) = values.split_at_mut(block.len());
        convert(block, values);
        T::extend(into, values);
    }
}
