//! numpy arrays: their elements are in the pickle itself.

use std::sync::Arc;

use super::context::{Context, shown};
use super::pickle::{ArrayState, Item, Node, Tree};
use super::strided::gather;
use crate::tensor::block::Block;
use crate::tensor::element_count;
use crate::{Dtype, Error, Tensor};

/// The array as a tensor.
pub(crate) fn tensor(
    tree: &Tree<'_>,
    state: &ArrayState,
    context: Context<'_>,
) -> Result<Tensor, Error> {
    let what = || format!("array at byte {}", state.place);
    let dtype = dtype(tree, state, context)?;
    if !matches!(state.data, Item::Bytes { .. } | Item::Latin1 { .. }) {
        return Err(context.bad_tensor(what(), "bytes", tree.noun(state.data)));
    }
    let size = dtype.size_bytes();
    let shape = tree.tuple(state.shape).unwrap_or_default();
    context.limit("tensor_rank", context.limits.tensor_rank, shape.len())?;
    let shape: Option<Vec<usize>> = shape
        .iter()
        .map(|item| match *item {
            Item::Int(size) => usize::try_from(size).ok(),
            _ => None,
        })
        .collect();
    let bytes = shape.as_deref().and_then(element_count);
    let bytes = bytes.and_then(|count| count.checked_mul(size as u64));
    let (Some(shape), Some(bytes)) = (shape, bytes) else {
        return Err(context.bad_tensor(what(), "sizes from 0, below 2^64 in all", "others"));
    };
    let latin1 = tree.latin1(state.data);
    let found = match latin1 {
        Some(text) => text.chars().count() as u64,
        None => tree.raw(state.data).len() as u64,
    };
    if found != bytes {
        return Err(context.bad_tensor(what(), format!("{bytes} bytes"), found.to_string()));
    }
    // As many as there are in the pickle.
    let length = tree.raw(state.data).len().min(usize::try_from(bytes).unwrap_or(usize::MAX));
    let memory = |_| context.out_of_memory("data.pkl", bytes);
    let mut block = Block::zeroed(length).map_err(memory)?;
    match latin1 {
        Some(text) => {
            let characters = text.chars().map(|character| u8::try_from(character).unwrap_or(0));
            block.bytes_mut().iter_mut().zip(characters).for_each(|(to, from)| *to = from);
        }
        None => block.bytes_mut().copy_from_slice(tree.raw(state.data)),
    }
    if state.fortran && shape.len() > 1 && length > 0 {
        let mut stride = Vec::new();
        shape.iter().fold(1, |step, &size| {
            stride.push(step);
            step * size as u64
        });
        let mut ordered = Block::zeroed(length).map_err(memory)?;
        gather(block.bytes(), size, 0, &shape, &stride, ordered.bytes_mut());
        block = ordered;
    }
    Tensor::from_block(dtype, shape, Arc::new(block), 0..length)
        .map_err(|error| error.in_file(context.path))
}

/// The type of the elements of an array.
fn dtype(tree: &Tree<'_>, state: &ArrayState, context: Context<'_>) -> Result<Dtype, Error> {
    let Some(&Node::ArrayType { name, order: Some(order) }) = tree.node(state.dtype) else {
        let what = format!("array at byte {}", state.place);
        return Err(context.bad_tensor(what, "a dtype", "none"));
    };
    let (name, order) = (tree.text(name).unwrap_or("?"), tree.text(order).unwrap_or("?"));
    Ok(match (order, name) {
        ("<", "f4") => Dtype::F32,
        ("<", "f2") => Dtype::F16,
        ("<", "f8") => Dtype::F64,
        ("<", "i8") => Dtype::I64,
        ("<", "i4") => Dtype::I32,
        ("<", "i2") => Dtype::I16,
        ("|", "i1") => Dtype::I8,
        ("|", "u1") => Dtype::U8,
        ("|", "b1") => Dtype::Bool,
        _ => {
            let found = shown(format!("{order}{name}").as_bytes());
            let remedy = "convert the array to a little-endian type that PyTorch has";
            return Err(context.unsupported(format!("a numpy array of `{found}`"), remedy));
        }
    })
}
