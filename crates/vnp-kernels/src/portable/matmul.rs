//! Matrix product on slices, through the `gemm` crate.
//!
//! `gemm` takes raw pointers and strides. [`Matrix`] and
//! [`MatrixMut`] prove at construction that every element their shape and strides reach lies in
//! their slice, and the borrow checker proves that the output aliases neither operand.
#![allow(
    unsafe_code,
    reason = "the gemm crate has no safe entry; bounds are proved above the call"
)]

use gemm::{Parallelism, gemm};

use crate::error::Error;

type Result<T> = std::result::Result<T, Error>;

/// A strided matrix of f32 in a slice.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Matrix<'a> {
    elements: &'a [f32],
    layout: Layout,
}

/// A strided matrix of f32 to write to.
#[derive(Debug)]
pub(crate) struct MatrixMut<'a> {
    elements: &'a mut [f32],
    layout: Layout,
}

#[derive(Debug, Clone, Copy)]
struct Layout {
    rows: usize,
    columns: usize,
    row_stride: isize,
    column_stride: isize,
}

impl<'a> Matrix<'a> {
    /// `rows` x `columns`, rows `stride` elements apart, columns next to each other.
    pub(crate) fn new(
        elements: &'a [f32],
        rows: usize,
        columns: usize,
        stride: usize,
    ) -> Result<Self> {
        Ok(Self { elements, layout: Layout::new(elements.len(), rows, columns, stride)? })
    }

    /// The transpose, without moving an element.
    pub(crate) fn transposed(self) -> Self {
        let Layout { rows, columns, row_stride, column_stride } = self.layout;
        let layout = Layout {
            rows: columns,
            columns: rows,
            row_stride: column_stride,
            column_stride: row_stride,
        };
        Self { elements: self.elements, layout }
    }
}

impl<'a> MatrixMut<'a> {
    /// `rows` x `columns`, rows `stride` elements apart, columns next to each other.
    pub(crate) fn new(
        elements: &'a mut [f32],
        rows: usize,
        columns: usize,
        stride: usize,
    ) -> Result<Self> {
        if rows > 1 && stride < columns {
            return Err(Error::Length { what: "a row", expected: columns, found: stride });
        }
        let layout = Layout::new(elements.len(), rows, columns, stride)?;
        Ok(Self { elements, layout })
    }
}

impl Layout {
    fn new(length: usize, rows: usize, columns: usize, stride: usize) -> Result<Self> {
        let needed = match (rows, columns) {
            (0, _) | (_, 0) => Some(0),
            _ => (rows - 1).checked_mul(stride).and_then(|last| last.checked_add(columns)),
        };
        if needed.is_none_or(|needed| needed > length) || isize::try_from(stride).is_err() {
            return Err(Error::Length {
                what: "a matrix",
                expected: needed.unwrap_or(usize::MAX),
                found: length,
            });
        }
        Ok(Self { rows, columns, row_stride: stride.cast_signed(), column_stride: 1 })
    }
}

/// `output = left * right`, on this thread alone.
pub(crate) fn multiply(output: MatrixMut<'_>, left: Matrix<'_>, right: Matrix<'_>) -> Result<()> {
    run(output, left, right, false)
}

/// `output += left * right`, on this thread alone.
pub(crate) fn multiply_add(
    output: MatrixMut<'_>,
    left: Matrix<'_>,
    right: Matrix<'_>,
) -> Result<()> {
    run(output, left, right, true)
}

fn run(output: MatrixMut<'_>, left: Matrix<'_>, right: Matrix<'_>, add: bool) -> Result<()> {
    let (o, l, r) = (output.layout, left.layout, right.layout);
    if l.columns != r.rows || o.rows != l.rows || o.columns != r.columns {
        return Err(Error::Length {
            what: "the right operand",
            expected: l.columns * o.columns,
            found: r.rows * r.columns,
        });
    }
    // SAFETY: for each operand `Layout::new` checked that (rows - 1) * stride + columns elements
    // lie in its slice, transposition keeps that set, and the dimensions agree as checked above.
    // `output` is a unique borrow whose rows do not overlap (`MatrixMut::new`).
    unsafe {
        gemm(
            o.rows,
            o.columns,
            l.columns,
            output.elements.as_mut_ptr(),
            o.column_stride,
            o.row_stride,
            add,
            left.elements.as_ptr(),
            l.column_stride,
            l.row_stride,
            right.elements.as_ptr(),
            r.column_stride,
            r.row_stride,
            1.0,
            1.0,
            false,
            false,
            false,
            Parallelism::None,
        );
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn product(left: &[f32], right: &[f32], shape: (usize, usize, usize)) -> Result<Vec<f32>> {
        let (m, k, n) = shape;
        let mut output = vec![f32::NAN; m * n];
        multiply(
            MatrixMut::new(&mut output, m, n, n)?,
            Matrix::new(left, m, k, k)?,
            Matrix::new(right, n, k, k)?.transposed(),
        )?;
        Ok(output)
    }

    #[test]
    fn multiplies_by_a_transpose() {
        let found = product(&[1., 2., 3., 4., 5., 6.], &[1., 0., -1., 2., 2., 2.], (2, 3, 2));
        assert_eq!(found.unwrap(), [-2., 12., -2., 30.]);
    }

    #[test]
    fn adds_to_the_output() {
        let mut output = [10., 20.];
        let one = Matrix::new(&[1., 2.], 2, 1, 1).unwrap();
        let two = Matrix::new(&[3.], 1, 1, 1).unwrap();
        multiply_add(MatrixMut::new(&mut output, 2, 1, 1).unwrap(), one, two).unwrap();
        assert_eq!(output, [13., 26.]);
    }

    #[test]
    fn refuses_what_does_not_fit() {
        assert!(Matrix::new(&[0.; 5], 2, 3, 3).is_err());
        assert!(Matrix::new(&[0.; 5], 2, 2, usize::MAX).is_err());
        assert!(MatrixMut::new(&mut [0.; 5], 2, 3, 1).is_err());
        assert!(product(&[0.; 6], &[0.; 4], (2, 3, 2)).is_err());
    }

    #[test]
    fn refuses_other_dimensions() {
        let mut output = [0.; 4];
        let left = Matrix::new(&[0.; 6], 2, 3, 3).unwrap();
        let right = Matrix::new(&[0.; 4], 2, 2, 2).unwrap();
        assert!(multiply(MatrixMut::new(&mut output, 2, 2, 2).unwrap(), left, right).is_err());
    }
}
