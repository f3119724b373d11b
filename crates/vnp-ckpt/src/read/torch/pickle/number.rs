//! Numbers as a pickle spells them.

/// An integer in as few bytes of two's complement as its writer liked, little-endian; `None`
/// when 64 bits do not hold it.
pub(crate) fn long(bytes: &[u8]) -> Option<i64> {
    let negative = bytes.last().is_some_and(|&byte| byte >= 0x80);
    let sign = if negative { 0xff } else { 0 };
    let (low, high) = bytes.split_at(bytes.len().min(8));
    let mut number = [sign; 8];
    number.iter_mut().zip(low).for_each(|(to, from)| *to = *from);
    let number = i64::from_le_bytes(number);
    ((number < 0) == negative && high.iter().all(|&byte| byte == sign)).then_some(number)
}

/// The bytes of a BINFLOAT, opcode included.
pub(crate) const FLOAT_BYTES: usize = 9;

/// The floats of a run of BINFLOATs.
pub(crate) fn floats(run: &[u8]) -> impl ExactSizeIterator<Item = f64> {
    let (floats, _) = run.as_chunks::<FLOAT_BYTES>();
    floats.iter().map(|&[_, a, b, c, d, e, f, g, h]| f64::from_be_bytes([a, b, c, d, e, f, g, h]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(bytes: &[u8], expected: Option<i64>) {
        assert_eq!(long(bytes), expected, "{bytes:x?}");
    }

    #[test]
    fn longs() {
        check(b"", Some(0));
        check(b"\0\0\0\x80\0", Some(1 << 31));
        check(b"\xff\xff\xff\x7f\xff", Some(-(1 << 31) - 1));
        check(b"\xff", Some(-1));
        check(b"\xff\xff\xff\xff\xff\xff\xff\x7f", Some(i64::MAX));
        check(b"\0\0\0\0\0\0\0\x80", Some(i64::MIN));
        check(b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", Some(-1));
        check(b"\0\0\0\0\0\0\0\x80\0", None);
        check(b"\xff\xff\xff\xff\xff\xff\xff\x7f\xff", None);
        check(b"\0\0\0\0\0\0\0\0\x40", None);
    }

    #[test]
    fn floats_are_big_endian() {
        let run = b"G\x3f\xf8\0\0\0\0\0\0G\x80\0\0\0\0\0\0\0";
        let found: Vec<u64> = floats(run).map(f64::to_bits).collect();
        assert_eq!(found, [1.5_f64.to_bits(), (-0.0_f64).to_bits()]);
    }
}
