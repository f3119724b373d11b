//! Access to the values of tensors on the host, in place where they are there.

use std::cell::Cell;

use candle_core::{CpuStorage, InplaceOp1, Layout, Result, Storage, Tensor, Var};

/// Values that one thread works on at a time.
pub(crate) const BLOCK: usize = 1 << 15;

/// Passes a tensor's values in row-major order to `look`.
pub(crate) fn read<T>(tensor: &Tensor, look: impl FnOnce(&[f32]) -> T) -> Result<T> {
    let tensor = tensor.contiguous()?;
    {
        let (storage, layout) = tensor.storage_and_layout();
        if let (Storage::Cpu(CpuStorage::F32(values)), Some((start, end))) =
            (&*storage, layout.contiguous_offsets())
            && let Some(values) = values.get(start..end)
        {
            return Ok(look(values));
        }
    }
    Ok(look(&tensor.flatten_all()?.to_vec1()?))
}

/// Lets `change` overwrite a variable's values, in row-major order.
pub(crate) fn change(variable: &Var, change: impl FnOnce(&mut [f32])) -> Result<()> {
    if variable.device().is_cpu() {
        return variable.inplace_op1(&InPlace(Cell::new(Some(change))));
    }
    let mut values: Vec<f32> = variable.flatten_all()?.to_vec1()?;
    change(&mut values);
    variable.set(&Tensor::from_vec(values, variable.shape(), variable.device())?)
}

/// A change as an operation that is applied once.
struct InPlace<F>(Cell<Option<F>>);

impl<F: FnOnce(&mut [f32])> InplaceOp1 for InPlace<F> {
    fn name(&self) -> &'static str {
        "change in place"
    }

    fn cpu_fwd(&self, storage: &mut CpuStorage, layout: &Layout) -> Result<()> {
        let values = match storage {
            CpuStorage::F32(values) => layout.contiguous_offsets().map(|range| (values, range)),
            _ => None,
        };
        let values = values.and_then(|(values, (start, end))| values.get_mut(start..end));
        match (values, self.0.take()) {
            (Some(values), Some(change)) => {
                change(values);
                Ok(())
            }
            _ => candle_core::bail!("a parameter is not one contiguous f32 array"),
        }
    }
}

#[cfg(test)]
mod tests {
    use candle_core::Device;

    use super::*;

    #[test]
    fn values_are_read_and_changed_in_row_major_order() {
        let variable = Var::from_vec(vec![1f32, 2., 3., 4.], (2, 2), &Device::Cpu).unwrap();
        change(&variable, |values| values[1] = 9.0).unwrap();
        assert_eq!(read(&variable, <[f32]>::to_vec).unwrap(), [1., 9., 3., 4.]);
        let turned = variable.t().unwrap();
        assert_eq!(read(&turned, <[f32]>::to_vec).unwrap(), [1., 3., 9., 4.]);
        let second = variable.narrow(0, 1, 1).unwrap();
        assert_eq!(read(&second, <[f32]>::to_vec).unwrap(), [3., 4.]);
    }
}
