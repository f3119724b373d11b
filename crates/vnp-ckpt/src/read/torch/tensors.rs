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
    Rows { dtype: Dtype, row: Vec<usize>, rows: Vec<RowView> },
}

/// One row: what it does not have in common with the others.
#[derive(Clone, Debug)]
pub(crate) struct RowView {
    /// The place of the storage in its list.
    pub(crate) storage: u32,
    /// The first element.
    pub(crate) start: u64,
    /// As in [`View`].
    pub(crate) stride: Option<Box<[u64]>>,
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
        let mut note = |storage: u32, is_first: bool, bytes: u64| {
            if let Some(uses) = uses.get_mut(storage as usize) {
                *uses = uses.saturating_add(is_first.into());
            }
            if let Some(copied) = copied.get_mut(storage as usize) {
                *copied = copied.saturating_add(bytes);
            }
        };
        for plan in &plans {
            match plan {
                Plan::Ready(_) => {}
                Plan::View(View { stride: None, storage, .. }) => note(*storage, true, 0),
                Plan::View(view) => note(view.storage, true, view.bytes().unwrap_or(u64::MAX)),
                Plan::Rows { dtype, row, rows } => {
                    let bytes = row_bytes(*dtype, row);
                    let rows = rows.iter().enumerate();
                    rows.for_each(|(number, row)| note(row.storage, number == 0, bytes));
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

    /// Reads the tensor of this place. What other plans need too is kept in `kept`; without one
    /// no more than the tensor is read into memory, however large the storage that it is a piece
    /// of.
    pub(crate) fn tensor<R: Input>(
        &self,
        place: usize,
        source: &mut Source<R>,
        kept: Option<&mut Kept>,
        context: Context<'_>,
    ) -> Result<Tensor, Error> {
        let Some(plan) = self.plans.get(place) else {
            let expected = format!("at most {} tensors", self.plans.len());
            return Err(context.inconsistent("tensors", expected, format!("place {place}")));
        };
        let (is_alone, mut none) = (kept.is_none(), Kept::new());
        let kept = kept.unwrap_or(&mut none);
        let mut reader = Reader { plans: self, source, kept, context };
        let tensor = match plan {
            Plan::Ready(tensor) => Ok(tensor.clone()),
            Plan::View(view) if is_alone => reader.piece(view)?,
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
    /// A view, read without what lies before its first element and behind its last.
    fn piece(&mut self, view: &View) -> Result<Result<Tensor, Error>, Error> {
        let (Some(storage), Some(span)) = (self.plans.storages.get(view.storage), view.span())
        else {
            return Err(self.memory(view.bytes().unwrap_or(u64::MAX)));
        };
        if span == (0..storage.bytes) {
            return self.view(view);
        }
        let mut block = self.zeroed(span.end - span.start)?;
        let (place, key) = (storage.place, &storage.key);
        self.source.read_piece(place, key, span.start, block.bytes_mut(), self.context)?;
        let (size, shape) = (view.dtype.size_bytes(), view.shape.clone());
        if let Some(stride) = &view.stride {
            let mut copy = self.zeroed(view.bytes().unwrap_or(u64::MAX))?;
            self.gathered(gather(block.bytes(), size, 0, &shape, stride, copy.bytes_mut()))?;
            block = copy;
        }
        let range = 0..block.bytes().len();
        Ok(Tensor::from_block(view.dtype, shape, Arc::new(block), range))
    }

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
    fn rows(&mut self, dtype: Dtype, row: &[usize], rows: &[RowView]) -> Result<Block, Error> {
        let bytes = row_bytes(dtype, row);
        let mut block = self.zeroed(bytes.saturating_mul(rows.len() as u64))?;
        if block.bytes().is_empty() {
            return Ok(block);
        }
        let length = usize::try_from(bytes).unwrap_or(usize::MAX);
        let mut slots = Vec::new();
        slots.try_reserve_exact(rows.len()).map_err(|_| self.memory(rows.len() as u64))?;
        slots.extend(rows.iter().zip(block.bytes_mut().chunks_exact_mut(length)));
        let storages = &self.plans.storages;
        slots.sort_by_key(|(row, _)| storages.get(row.storage).map(|found| found.place));
        for group in slots.chunk_by_mut(|(one, _), (other, _)| one.storage == other.storage) {
            match group {
                // Nothing else is in its storage.
                [(RowView { storage, start: 0, stride: None }, into)]
                    if storages.get(*storage).is_some_and(|found| found.bytes == bytes) =>
                {
                    self.read(*storage, into)?;
                }
                group => {
                    let Some((first, _)) = group.first() else { continue };
                    let block = self.storage(first.storage)?;
                    let size = dtype.size_bytes();
                    for (RowView { start, stride, .. }, into) in group {
                        self.gathered(copy(
                            block.bytes(),
                            size,
                            *start,
                            row,
                            stride.as_deref(),
                            into,
                        ))?;
                    }
                }
            }
        }
        Ok(block)
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

/// Copies the elements of a row to where they go.
fn copy(
    from: &[u8],
    size: usize,
    start: u64,
    shape: &[usize],
    stride: Option<&[u64]>,
    into: &mut [u8],
) -> Option<()> {
    match stride {
        Some(stride) => gather(from, size, start, shape, stride, into),
        None => {
            let start = usize::try_from(start).ok()?.checked_mul(size)?;
            into.copy_from_slice(from.get(start..)?.get(..into.len())?);
            Some(())
        }
    }
}

/// Length of a row, in bytes.
fn row_bytes(dtype: Dtype, row: &[usize]) -> u64 {
    element_count(row).unwrap_or(u64::MAX).saturating_mul(dtype.size_bytes() as u64)
}
