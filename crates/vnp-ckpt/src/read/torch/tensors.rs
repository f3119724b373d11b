//! Tensors from their storages: whole records where they can be, copies where they must be.

use std::collections::HashMap;
use std::sync::Arc;

use super::super::container::Input;
use super::context::Context;
use super::source::Source;
use super::storages::{Storages, View};
use super::strided::gather;
use crate::tensor::block::Block;
use crate::tensor::element_count;
use crate::{Dtype, Error, Tensor};

/// How a tensor is to be had.
#[derive(Clone, Debug)]
pub(crate) enum Plan {
    /// It was in the pickle.
    Ready(Tensor),
    /// It is one of the file's.
    View(View),
    /// It is many of the file's, one behind the other; all of one type and shape.
    Rows { dtype: Dtype, row: Vec<usize>, rows: Vec<View> },
}

impl Plan {
    pub(crate) fn dtype(&self) -> Dtype {
        match self {
            Self::Ready(tensor) => tensor.dtype(),
            Self::View(view) => view.dtype,
            Self::Rows { dtype, .. } => *dtype,
        }
    }

    pub(crate) fn shape(&self) -> Vec<usize> {
        match self {
            Self::Ready(tensor) => tensor.shape().to_vec(),
            Self::View(view) => view.shape.clone(),
            Self::Rows { row, rows, .. } => [&[rows.len()], row.as_slice()].concat(),
        }
    }

    /// The pieces of storages that it is.
    fn views(&self) -> &[View] {
        match self {
            Self::Ready(_) => &[],
            Self::View(view) => std::slice::from_ref(view),
            Self::Rows { rows, .. } => rows,
        }
    }
}

/// The plans of a file's tensors, checked against the limits, and what they have in common.
#[derive(Debug)]
pub(crate) struct Plans {
    plans: Vec<Plan>,
    storages: Storages,
    /// How many plans need each storage.
    uses: Vec<u32>,
}

impl Plans {
    pub(crate) fn new(
        plans: Vec<Plan>,
        storages: Storages,
        context: Context<'_>,
    ) -> Result<Self, Error> {
        let mut uses = vec![0_u32; storages.len()];
        let mut copied = vec![0_u64; storages.len()];
        for plan in &plans {
            let is_rows = matches!(plan, Plan::Rows { .. });
            for (index, view) in plan.views().iter().enumerate() {
                let place = view.storage as usize;
                if let Some(uses) = uses.get_mut(place)
                    && !(is_rows && index > 0)
                {
                    *uses = uses.saturating_add(1);
                }
                if let Some(copied) = copied.get_mut(place)
                    && (is_rows || view.stride.is_some())
                {
                    *copied = copied.saturating_add(view.bytes().unwrap_or(u64::MAX));
                }
            }
        }
        let excess = copied.iter().zip(0..).fold(0_u64, |excess, (&copied, place)| {
            let held = storages.get(place).map_or(0, |storage| storage.bytes);
            excess.saturating_add(copied.saturating_sub(held))
        });
        context.limit("expanded_bytes", context.limits.expanded_bytes, excess)?;
        Ok(Self { plans, storages, uses })
    }

    /// Reads the tensor of this place. What other plans need too is kept in `kept`.
    pub(crate) fn tensor<R: Input>(
        &self,
        place: usize,
        source: &mut Source<R>,
        kept: &mut Kept,
        context: Context<'_>,
    ) -> Result<Tensor, Error> {
        let Some(plan) = self.plans.get(place) else {
            let expected = format!("at most {} tensors", self.plans.len());
            return Err(context.inconsistent("tensors", expected, format!("place {place}")));
        };
        let mut reader = Reader { plans: self, source, kept, context };
        let tensor = match plan {
            Plan::Ready(tensor) => Ok(tensor.clone()),
            Plan::View(view) => reader.view(view)?,
            Plan::Rows { dtype, row, rows } => {
                let block = Arc::new(reader.rows(*dtype, row, rows)?);
                let range = 0..block.bytes().len();
                Tensor::from_block(*dtype, plan.shape(), block, range)
            }
        };
        tensor.map_err(|error| error.in_file(context.path))
    }
}

/// Storages that were read and are needed again.
pub(crate) type Kept = HashMap<u32, Arc<Block>>;

struct Reader<'r, R> {
    plans: &'r Plans,
    source: &'r mut Source<R>,
    kept: &'r mut Kept,
    context: Context<'r>,
}

impl<R: Input> Reader<'_, R> {
    fn view(&mut self, view: &View) -> Result<Result<Tensor, Error>, Error> {
        let block = self.storage(view.storage)?;
        let Some(range) = range(view) else {
            return Err(self.memory(view.bytes().unwrap_or(u64::MAX)));
        };
        let (size, shape) = (view.dtype.size_bytes(), view.shape.clone());
        let Some(stride) = &view.stride else {
            return Ok(Tensor::from_block(view.dtype, shape, block, range));
        };
        let mut copy = self.zeroed(range.len() as u64)?;
        self.gathered(gather(block.bytes(), size, view.start, &shape, stride, copy.bytes_mut()))?;
        let range = 0..copy.bytes().len();
        Ok(Tensor::from_block(view.dtype, shape, Arc::new(copy), range))
    }

    /// Rows, each to its place, in the order in which their storages lie in the file.
    fn rows(&mut self, dtype: Dtype, row: &[usize], rows: &[View]) -> Result<Block, Error> {
        let row_bytes = element_count(row).unwrap_or(u64::MAX);
        let row_bytes = row_bytes.saturating_mul(dtype.size_bytes() as u64);
        let mut block = self.zeroed(row_bytes.saturating_mul(rows.len() as u64))?;
        if block.bytes().is_empty() {
            return Ok(block);
        }
        let length = usize::try_from(row_bytes).unwrap_or(usize::MAX);
        let place = |view: &View| self.plans.storages.get(view.storage).map(|found| found.place);
        let mut slots: Vec<_> =
            rows.iter().zip(block.bytes_mut().chunks_exact_mut(length)).collect();
        slots.sort_by_key(|(view, _)| place(view));
        for group in slots.chunk_by_mut(|(one, _), (other, _)| one.storage == other.storage) {
            match group {
                [(view, into)] if self.is_whole(view) => self.read(view.storage, into)?,
                group => {
                    let Some((first, _)) = group.first() else { continue };
                    let block = self.storage(first.storage)?;
                    for (view, into) in group {
                        self.copy(&block, view, into)?;
                    }
                }
            }
        }
        Ok(block)
    }

    fn copy(&self, block: &Block, view: &View, into: &mut [u8]) -> Result<(), Error> {
        if let Some(stride) = &view.stride {
            let size = view.dtype.size_bytes();
            return self.gathered(gather(
                block.bytes(),
                size,
                view.start,
                &view.shape,
                stride,
                into,
            ));
        }
        let from = range(view).and_then(|range| block.bytes().get(range));
        let from = from.filter(|from| from.len() == into.len());
        self.gathered(from.map(|from| into.copy_from_slice(from)))
    }

    /// Whether nothing else is in its storage.
    fn is_whole(&self, view: &View) -> bool {
        let held = self.plans.storages.get(view.storage).map(|storage| storage.bytes);
        view.stride.is_none() && view.start == 0 && held == view.bytes()
    }

    fn storage(&mut self, place: u32) -> Result<Arc<Block>, Error> {
        if let Some(block) = self.kept.get(&place) {
            return Ok(Arc::clone(block));
        }
        let bytes = self.plans.storages.get(place).map_or(0, |storage| storage.bytes);
        let mut block = self.zeroed(bytes)?;
        self.read(place, block.bytes_mut())?;
        let block = Arc::new(block);
        if self.plans.uses.get(place as usize).is_some_and(|&uses| uses > 1) {
            self.kept.insert(place, Arc::clone(&block));
        }
        Ok(block)
    }

    fn read(&mut self, place: u32, into: &mut [u8]) -> Result<(), Error> {
        let Some(storage) = self.plans.storages.get(place) else {
            return Err(self.context.bad_tensor("unknown", "a storage", "none"));
        };
        self.source.read(storage.place, &storage.key, into, self.context)
    }

    fn zeroed(&self, bytes: u64) -> Result<Block, Error> {
        let length = usize::try_from(bytes).map_err(|_| self.memory(bytes))?;
        Block::zeroed(length).map_err(|_| self.memory(bytes))
    }

    fn memory(&self, bytes: u64) -> Error {
        self.context.out_of_memory("tensor", bytes)
    }

    /// Views were checked to lie inside: this is for the day when one does not.
    fn gathered(&self, gathered: Option<()>) -> Result<(), Error> {
        let outside = || self.context.bad_tensor("unknown", "to lie in its storage", "outside");
        gathered.ok_or_else(outside)
    }
}

/// The bytes of a view, as if it were dense.
fn range(view: &View) -> Option<std::ops::Range<usize>> {
    let start = usize::try_from(view.start).ok()?.checked_mul(view.dtype.size_bytes())?;
    let length = usize::try_from(view.bytes()?).ok()?;
    Some(start..start.checked_add(length)?)
}
