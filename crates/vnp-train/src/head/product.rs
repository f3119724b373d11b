//! A matrix product that computes no gradient of its data.

use candle_core::backend::BackendStorage;
use candle_core::{CpuStorage, CudaStorage, CustomOp2, Layout, Result, Shape, Tensor};

use crate::error::Error;
use crate::learn::parameters::{Handed, Parameters};

/// The parameter `name` `[units, inputs]` times `columns` `[inputs, rows]`.
///
/// Where the columns are data, Candle would compute their gradient too, and add that of the weight,
/// which is as large as the weight, to zeros: half the time of a step. Here it goes directly
/// to [`Gradients`](crate::learn::gradients::Gradients) instead.
pub(super) fn product(
    parameters: &Parameters,
    name: &str,
    columns: &Tensor,
) -> std::result::Result<Tensor, Error> {
    let weight = parameters.get(name)?;
    if columns.track_op() {
        return Ok(weight.matmul(columns)?);
    }
    let product = Product { name: name.to_owned(), handed: parameters.handed() };
    Ok(weight.apply_op2(columns, product)?)
}

struct Product {
    name: String,
    handed: Handed,
}

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
        self.handed.add(&self.name, gradient.matmul(&columns.t()?)?)?;
        Ok((None, None))
    }
}
