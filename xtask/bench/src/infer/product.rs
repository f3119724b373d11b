//! The matrix product that a peak is taken from.
#![expect(unsafe_code, reason = "the gemm crate has no safe entry; lengths are checked above it")]

use gemm::{Parallelism, gemm};

/// `output = left * right`, all `side` x `side` and row-major, on this thread.
pub(crate) fn square(side: usize, output: &mut [f32], left: &[f32], right: &[f32]) {
    let count = side * side;
    assert!(output.len() == count && left.len() == count && right.len() == count);
    let stride = side.cast_signed();
    // SAFETY: each slice holds side * side elements, rows `side` apart and columns 1, as given;
    // `output` is a unique borrow.
    unsafe {
        gemm(
            side,
            side,
            side,
            output.as_mut_ptr(),
            1,
            stride,
            false,
            left.as_ptr(),
            1,
            stride,
            right.as_ptr(),
            1,
            stride,
            0.0,
            1.0,
            false,
            false,
            false,
            Parallelism::None,
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_a_product() {
        let mut output = [f32::NAN; 4];
        square(2, &mut output, &[1., 2., 3., 4.], &[0., 1., 2., 3.]);
        assert_eq!(output, [4., 7., 8., 15.]);
    }
}
