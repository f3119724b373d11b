//! The product with a weight, whose gradient is all that is wanted.

use candle_core::backend::BackendStorage;
use candle_core::{CpuStorage, CudaStorage, CustomOp2, Layout, Result, Shape, Tensor};

/// `weight` `[units, inputs]` times `columns` `[inputs, rows]`.
///
/// Where the columns are data, their gradient, which Candle would compute too, is left out: a third
/// of the work of a step.
pub(super) fn product(weight: &Tensor, columns: &Tensor) -> Result<Tensor> {
    if columns.track_op() { weight.matmul(columns) } else { weight.apply_op2(columns, Product) }
}

struct Product;

impl Product {
    fn of<S: BackendStorage>(
        weight: &S,
        weight_layout: &Layout,
        columns: &S,
        columns_layout: &Layout,
    ) -> Result<(S, Shape)> {
        let (units, inputs) = weight_layout.shape().dims2()?;
        let (_, rows) = columns_layout.shape().dims2()?;
        let sizes = (1, units, rows, inputs);
        let product = weight.matmul(columns, sizes, weight_layout, columns_layout)?;
        Ok((product, Shape::from((units, rows))))
    }
}

impl CustomOp2 for Product {
    fn name(&self) -> &'static str {
        "product with data"
    }

    fn cpu_fwd(
        &self,
        weight: &CpuStorage,
        weight_layout: &Layout,
        columns: &CpuStorage,
        columns_layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        Self::of(weight, weight_layout, columns, columns_layout)
    }

    fn cuda_fwd(
        &self,
        weight: &CudaStorage,
        weight_layout: &Layout,
        columns: &CudaStorage,
        columns_layout: &Layout,
    ) -> Result<(CudaStorage, Shape)> {
        Self::of(weight, weight_layout, columns, columns_layout)
    }

    fn bwd(
        &self,
        _weight: &Tensor,
        columns: &Tensor,
        _product: &Tensor,
        gradient: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>)> {
        Ok((Some(gradient.matmul(&columns.t()?)?), None))
    }
}
