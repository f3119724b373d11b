//! The steps between matrix products, each one kernel.

use candle_core::{CudaDevice, DType, Device, Result, Tensor, bail};

use super::launch::{
    ATTENTION, ATTENTION_MMA, Argument, ELEMENTWISE, Grid, NORM, POOL, empty, indices, launch,
    pointer,
};
use crate::architecture::plan::Heads;
use crate::candle::alibi::Alibi;
use crate::candle::norm::LayerNorm;
use crate::candle::ops::{Ops, Stream, Update};
use crate::candle::pack::{QUERY_BLOCK, Tokens};
use crate::candle::plain::Plain;
use crate::candle::rotary::Rotary;

/// The threads of a block, unless a kernel needs another number.
const THREADS: usize = 256;
/// Values in a row that the norm keeps in a block's shared memory; longer rows are computed by candle.
const WIDEST_NORM: usize = 12_000;
/// The largest head of which the attention without tensor cores keeps its tiles in 48 KiB.
const LARGEST_HEAD: usize = 255;
/// The largest head of the attention on tensor cores.
const LARGEST_MMA_HEAD: usize = 128;
/// No address.
const NONE: Argument = Argument::Pointer(0);

/// The fused kernels of this folder; [`Plain`] computes sizes beyond them, which no released model
/// has.
#[derive(Debug)]
pub(crate) struct Fused;

impl Ops for Fused {
    fn prepare(
        &self,
        qkv: Tensor,
        bias: &Tensor,
        heads: Heads,
        rotary: Option<&Rotary>,
        tokens: &Tokens,
    ) -> Result<Tensor> {
        let hidden = heads.count * heads.size;
        let count = rows(&qkv, 3 * hidden, tokens)?;
        // Without a rotation the halves are arbitrary.
        let half = if rotary.is_some() { heads.size / 2 } else { hidden / 2 };
        if !hidden.is_multiple_of(2) {
            return Plain.prepare(qkv, bias, heads, rotary, tokens);
        }
        let (cosines, sines) = match rotary {
            Some(rotary) => {
                rotary.check(tokens)?;
                let size = rotary.cosines.dim(0)? * half;
                let table = |table| pointer(table, DType::F32, size);
                (table(&rotary.cosines)?, table(&rotary.sines)?)
            }
            None => (NONE, NONE),
        };
        let kernel = Kernel::of(&qkv, &[half])?;
        let grid = kernel.rows_by_columns(count, 3 * hidden / 2);
        let arguments = [
            pointer(&qkv, kernel.dtype, count * 3 * hidden)?,
            pointer(bias, DType::F32, 3 * hidden)?,
            indices(&tokens.positions, count)?,
            cosines,
            sines,
            number(hidden)?,
            number(half)?,
            Argument::F32(heads.scale()),
        ];
        launch(cuda(&qkv)?, &ELEMENTWISE, &kernel.name("prepare"), &grid, &arguments)?;
        Ok(qkv)
    }

    fn attend(
        &self,
        qkv: &Tensor,
        heads: Heads,
        alibi: Option<&Alibi>,
        tokens: &Tokens,
    ) -> Result<Tensor> {
        let hidden = heads.count * heads.size;
        let count = rows(qkv, 3 * hidden, tokens)?;
        if heads.size > LARGEST_HEAD {
            return Plain.attend(qkv, heads, alibi, tokens);
        }
        let kernel = Kernel::of(qkv, &[])?;
        let blocks = tokens.query_blocks.dim(0)?;
        let output = empty((count, hidden), kernel.dtype, cuda(qkv)?)?;
        let arguments = [
            pointer(qkv, kernel.dtype, count * 3 * hidden)?,
            pointer(&output, kernel.dtype, count * hidden)?,
            indices(&tokens.query_blocks, 3 * blocks)?,
            alibi.map_or(Ok(NONE), |alibi| pointer(&alibi.slopes, DType::F32, heads.count))?,
            number(hidden)?,
            number(heads.size)?,
        ];
        let threads = 128;
        if kernel.dtype != DType::F32 && heads.size <= LARGEST_MMA_HEAD {
            let size = heads.size.next_power_of_two().max(16);
            let grid = Grid { blocks: [blocks, heads.count, 1], threads, shared_bytes: 0 };
            let name = format!("attend_mma_{}_{size}", kernel.type_name);
            launch(cuda(qkv)?, &ATTENTION_MMA, &name, &grid, &arguments)?;
        } else {
            // 16 queries and 32 keys or values.
            let floats = 16 * heads.size + 32 * (heads.size | 1);
            let parts = heads.size.div_ceil(32).next_power_of_two();
            let grid = Grid {
                blocks: [blocks, heads.count, QUERY_BLOCK / 16],
                threads,
                shared_bytes: floats * size_of::<f32>(),
            };
            let name = format!("attend_{}_{parts}", kernel.type_name);
            launch(cuda(qkv)?, &ATTENTION, &name, &grid, &arguments)?;
        }
        Ok(output)
    }

    fn bias_gelu(&self, x: Tensor, bias: &Tensor) -> Result<Tensor> {
        let (count, width) = x.dims2()?;
        let kernel = Kernel::of(&x, &[width])?;
        let arguments = [
            pointer(&x, kernel.dtype, count * width)?,
            pointer(bias, DType::F32, width)?,
            number(width)?,
        ];
        let grid = kernel.rows_by_columns(count, width);
        launch(cuda(&x)?, &ELEMENTWISE, &kernel.name("bias_gelu"), &grid, &arguments)?;
        Ok(x)
    }

    fn gated_gelu(&self, x: &Tensor) -> Result<Tensor> {
        let (count, width) = x.dims2()?;
        let half = width / 2;
        let kernel = Kernel::of(x, &[half])?;
        let output = empty((count, half), kernel.dtype, cuda(x)?)?;
        let arguments = [
            pointer(x, kernel.dtype, count * 2 * half)?,
            pointer(&output, kernel.dtype, count * half)?,
            number(half)?,
        ];
        let grid = kernel.rows_by_columns(count, half);
        launch(cuda(x)?, &ELEMENTWISE, &kernel.name("gated_gelu"), &grid, &arguments)?;
        Ok(output)
    }

    fn add_norm(
        &self,
        residual: &Tensor,
        update: Option<Update<'_>>,
        norm: &LayerNorm,
        stream: Stream,
        dtype: DType,
    ) -> Result<(Tensor, Tensor)> {
        let (count, width) = residual.dims2()?;
        let device = cuda(residual)?;
        let computed = update.map_or(dtype, |update| update.product.dtype());
        if width > WIDEST_NORM || (dtype != DType::F32 && dtype != computed) {
            return Plain.add_norm(residual, update, norm, stream, dtype);
        }
        let kernel = Kernel::with(computed, &[width], 4)?;
        let make =
            |wanted: bool, dtype| wanted.then(|| empty((count, width), dtype, device)).transpose();
        let sum = make(stream == Stream::Sum && update.is_some(), DType::F32)?;
        let normed = make(stream == Stream::Norm || dtype == DType::F32, DType::F32)?;
        let rounded = make(dtype != DType::F32, dtype)?;
        let output = |tensor: &Option<Tensor>, dtype| {
            tensor.as_ref().map_or(Ok(NONE), |tensor| pointer(tensor, dtype, count * width))
        };
        let (product, bias) = match update {
            Some(Update { product, bias }) => {
                (pointer(product, computed, count * width)?, pointer(bias, DType::F32, width)?)
            }
            None => (NONE, NONE),
        };
        let arguments = [
            pointer(residual, DType::F32, count * width)?,
            product,
            bias,
            pointer(&norm.weight, DType::F32, width)?,
            pointer(&norm.bias, DType::F32, width)?,
            output(&sum, DType::F32)?,
            output(&normed, DType::F32)?,
            output(&rounded, dtype)?,
            number(width)?,
            Argument::F32(norm.eps),
        ];
        let grid = Grid {
            blocks: [count, 1, 1],
            threads: width.div_ceil(kernel.wide).next_multiple_of(32).min(THREADS),
            shared_bytes: width * size_of::<f32>(),
        };
        launch(device, &NORM, &kernel.name("add_norm"), &grid, &arguments)?;
        let onward = match stream {
            Stream::Sum => sum.unwrap_or_else(|| residual.clone()),
            Stream::Norm => normed.clone().unwrap_or_else(|| residual.clone()),
        };
        let result = rounded.or(normed).unwrap_or_else(|| onward.clone());
        Ok((onward, result))
    }

    fn mean(&self, hidden: &Tensor, tokens: &Tokens) -> Result<Tensor> {
        let (count, width) = hidden.dims2()?;
        if tokens.pooled_rows.iter().any(|rows| rows.end > count) {
            bail!("a sequence ends beyond its pack");
        }
        let sequences = tokens.pooled_rows.len();
        let output = empty((sequences, width), DType::F32, cuda(hidden)?)?;
        let arguments = [
            pointer(hidden, DType::F32, count * width)?,
            indices(&tokens.pooled, 2 * sequences)?,
            pointer(&output, DType::F32, sequences * width)?,
            number(width)?,
        ];
        let blocks = [sequences, width.div_ceil(THREADS), 1];
        let grid = Grid { blocks, threads: THREADS, shared_bytes: 0 };
        launch(cuda(hidden)?, &POOL, "mean", &grid, &arguments)?;
        Ok(output)
    }
}

/// The variant of a kernel to launch.
struct Kernel {
    dtype: DType,
    type_name: &'static str,
    /// Neighbouring elements that a thread moves at once.
    wide: usize,
}

impl Kernel {
    /// For elements of `tensor`: 16 bytes at once where that divides all of `sizes`.
    fn of(tensor: &Tensor, sizes: &[usize]) -> Result<Self> {
        let dtype = tensor.dtype();
        Self::with(dtype, sizes, 16 / dtype.size_in_bytes())
    }

    /// For elements of `dtype`: `wide` at once where that divides all of `sizes`, else one.
    fn with(dtype: DType, sizes: &[usize], wide: usize) -> Result<Self> {
        let type_name = match dtype {
            DType::F32 => "f32",
            DType::F16 => "f16",
            DType::BF16 => "bf16",
            _ => bail!("no kernels for {dtype:?}"),
        };
        let fits = sizes.iter().all(|size| size.is_multiple_of(wide));
        Ok(Self { dtype, type_name, wide: if fits { wide } else { 1 } })
    }

    fn name(&self, kernel: &str) -> String {
        format!("{kernel}_{}_{}", self.type_name, self.wide)
    }

    /// Blocks of up to [`THREADS`] threads for the columns of each row.
    fn rows_by_columns(&self, rows: usize, columns: usize) -> Grid {
        let vectors = columns.div_ceil(self.wide);
        let threads = vectors.next_multiple_of(32).min(THREADS);
        Grid { blocks: [rows, vectors.div_ceil(threads), 1], threads, shared_bytes: 0 }
    }
}

/// The rows of a tensor of `width` columns, which are those of the pack.
fn rows(tensor: &Tensor, width: usize, tokens: &Tokens) -> Result<usize> {
    let (rows, found) = tensor.dims2()?;
    if (rows, found) != (tokens.len(), width) {
        bail!("{rows} rows of {found} values, expected {} of {width}", tokens.len());
    }
    Ok(rows)
}

fn cuda(tensor: &Tensor) -> Result<&CudaDevice> {
    match tensor.device() {
        Device::Cuda(device) => Ok(device),
        _ => bail!("a CUDA kernel met a tensor of another device"),
    }
}

fn number(x: usize) -> Result<Argument> {
    Ok(Argument::U32(x.try_into()?))
}
