//! Elements that do not lie in order, put in order.

/// Copies the elements of a tensor of `shape` to `into`, in row-major order. `size` is that of an
/// element, in bytes; `start` and `stride` count elements. `None` when one is not in `source`.
pub(crate) fn gather(
    source: &[u8],
    size: usize,
    start: u64,
    shape: &[usize],
    stride: &[u64],
    into: &mut [u8],
) -> Option<()> {
    match size {
        1 => gather_of::<1>(source, start, shape, stride, into),
        2 => gather_of::<2>(source, start, shape, stride, into),
        4 => gather_of::<4>(source, start, shape, stride, into),
        8 => gather_of::<8>(source, start, shape, stride, into),
        _ => None,
    }
}

fn gather_of<const N: usize>(
    source: &[u8],
    start: u64,
    shape: &[usize],
    stride: &[u64],
    into: &mut [u8],
) -> Option<()> {
    let (source, _) = source.as_chunks::<N>();
    let (into, _) = into.as_chunks_mut::<N>();
    if into.is_empty() {
        return Some(());
    }
    let (line, outer_shape) = shape.split_last().map_or((1, shape), |(&line, rest)| (line, rest));
    let (step, outer_stride) =
        stride.split_last().map_or((1, stride), |(&step, rest)| (step, rest));
    let step = usize::try_from(step).ok()?;
    let mut place = vec![0; outer_shape.len()];
    let mut first = usize::try_from(start).ok()?;
    for into in into.chunks_exact_mut(line.max(1)) {
        let from = source.get(first..)?;
        if step == 1 {
            into.copy_from_slice(from.get(..line)?);
        } else {
            for (index, to) in into.iter_mut().enumerate() {
                *to = *from.get(index.checked_mul(step)?)?;
            }
        }
        for ((place, &size), &stride) in place.iter_mut().zip(outer_shape).zip(outer_stride).rev() {
            let stride = usize::try_from(stride).ok()?;
            *place += 1;
            first += stride;
            if *place < size {
                break;
            }
            first -= stride * size;
            *place = 0;
        }
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(start: u64, shape: &[usize], stride: &[u64], expected: &[u16]) {
        let source: Vec<u8> = (0..12_u16).flat_map(u16::to_le_bytes).collect();
        let mut found = vec![0; 2 * shape.iter().product::<usize>()];
        gather(&source, 2, start, shape, stride, &mut found).unwrap();
        let expected: Vec<u8> = expected.iter().flat_map(|value| value.to_le_bytes()).collect();
        assert_eq!(found, expected, "{start} {shape:?} {stride:?}");
    }

    #[test]
    fn elements_come_in_row_major_order() {
        check(0, &[4, 3], &[1, 4], &[0, 4, 8, 1, 5, 9, 2, 6, 10, 3, 7, 11]);
        check(5, &[2, 2], &[4, 1], &[5, 6, 9, 10]);
        check(3, &[2, 3], &[0, 0], &[3; 6]);
        check(2, &[3], &[2], &[2, 4, 6]);
        check(0, &[2, 3, 2], &[1, 4, 2], &[0, 2, 4, 6, 8, 10, 1, 3, 5, 7, 9, 11]);
        check(7, &[], &[], &[7]);
        check(0, &[0, 3], &[3, 1], &[]);
    }

    #[test]
    fn nothing_outside_is_touched() {
        let mut into = [0; 8];
        assert!(gather(&[0; 8], 4, 1, &[2], &[1], &mut into).is_none());
        assert!(gather(&[0; 8], 4, 0, &[2], &[u64::MAX], &mut into).is_none());
        assert!(gather(&[0; 8], 3, 0, &[2], &[1], &mut into).is_none());
    }
}
