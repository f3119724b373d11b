//! Elements as bytes and back, without a copy.

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

/// A type whose every bit pattern is a value, and whose values are nothing but their bytes.
pub trait Plain: Copy + FromBytes + IntoBytes + Immutable + KnownLayout {}

impl<T: Copy + FromBytes + IntoBytes + Immutable + KnownLayout> Plain for T {}

/// The bytes of elements.
pub(crate) fn bytes_of<T: Plain>(elements: &[T]) -> &[u8] {
    elements.as_bytes()
}

/// The bytes of elements, to be written.
pub(crate) fn bytes_of_mut<T: Plain>(elements: &mut [T]) -> &mut [u8] {
    elements.as_mut_bytes()
}

/// The elements that bytes are; none where the bytes are not aligned, or not a whole number of them.
pub(crate) fn elements_of<T: Plain>(bytes: &[u8]) -> Option<&[T]> {
    <[T]>::ref_from_bytes(bytes).ok()
}

/// The same, to be written; nothing in place of `None`.
#[cfg(feature = "torch")]
pub(crate) fn elements_of_mut<T: Plain>(bytes: &mut [u8]) -> &mut [T] {
    <[T]>::mut_from_bytes(bytes).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_and_back() {
        let mut values = [1.5_f32, -0.0, f32::from_bits(0x7fa5_a5a5)];
        let bytes = bytes_of(&values).to_vec();
        assert_eq!(bytes[..4], 1.5_f32.to_le_bytes());
        let found: Vec<_> =
            elements_of::<f32>(bytes_of(&values)).unwrap().iter().map(|v| v.to_bits()).collect();
        assert_eq!(found, values.map(f32::to_bits));
        bytes_of_mut(&mut values)[..4].fill(0);
        assert_eq!(values[0], 0.0);
    }

    #[test]
    fn what_is_no_element_is_none() {
        let bytes = bytes_of(&[0_u64; 2]);
        assert!(elements_of::<u64>(&bytes[1..9]).is_none(), "not aligned");
        assert!(elements_of::<u64>(&bytes[..12]).is_none(), "one and a half");
        assert_eq!(elements_of::<u64>(&bytes[..0]), Some(&[][..]));
    }
}
