//! Tensors from their storages: whole records where they can be, copies where they must be.

use std::collections::HashMap;
use std::sync::Arc;

use crate::budget::Budget;
use crate::error::kind::ErrorKind;
use crate::limits::{self, Limits};
use crate::read::container::Input;
use crate::read::torch::source::Source;
use crate::read::torch::storages::{Storages, View};
use crate::read::torch::strided::gather;
use crate::tensor::Tensor;
use crate::tensor::block::Block;
use crate::tensor::dtype::Dtype;
use crate::tensor::element_count;

/// The way to obtain a tensor.
#[derive(Clone, Debug)]
pub(crate) enum Plan {
    /// It was in the pickle.
    Ready(Tensor),
    /// It is one of the file's.
    View(View),
    /// It is many of the file's, one after the other; all of one type and shape.
    Rows { dtype: Dtype, row: Vec<usize>, rows: Vec<RowView> },
}

/// The properties of one row that differ from row to row.
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

/// The plans of a file's tensors, checked against the limits, and the storages they share.
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
        limits: &Limits,
        budget: &Budget,
    ) -> Result<Self, ErrorKind> {
        budget.memory(storages.len().saturating_mul(24))?;
        let mut uses = vec![0_u32; storages.len()];
        let mut copied = vec![0_u64; storages.len()];
        let mut shared = vec![0_u64; storages.len()];
        let mut spans = 0_u64;
        let mut note = |storage: u32, is_first: bool, bytes: u64, held: u64| {
            if let Some(shared) = shared.get_mut(storage as usize) {
                *shared = shared.saturating_add(held);
            }
            if let Some(uses) = uses.get_mut(storage as usize) {
                *uses = uses.saturating_add(is_first.into());
            }
            if let Some(copied) = copied.get_mut(storage as usize) {
                *copied = copied.saturating_add(bytes);
            }
        };
        for plan in &plans {
            if let Plan::View(view) = plan {
                spans = spans
                    .saturating_add(view.span().map_or(u64::MAX, |span| span.end - span.start));
            }
            match plan {
                Plan::Ready(_) => {}
                Plan::View(view @ View { stride: None, .. }) => {
                    note(view.storage, true, 0, view.bytes().unwrap_or(u64::MAX));
                }
                Plan::View(view) => note(view.storage, true, view.bytes().unwrap_or(u64::MAX), 0),
                Plan::Rows { dtype, row, rows } => {
                    let bytes = row_bytes(*dtype, row);
                    let rows = rows.iter().enumerate();
                    rows.for_each(|(number, row)| note(row.storage, number == 0, bytes, 0));
                }
            }
        }
        let excess_of = |bytes: &[u64]| {
            bytes.iter().zip(0..).fold(0_u64, |excess, (&bytes, index)| {
                let held = storages.get(index).map_or(0, |storage| storage.bytes);
                excess.saturating_add(bytes.saturating_sub(held))
            })
        };
        let excess = excess_of(&copied);
        limits::check("expanded_bytes", limits.expanded_bytes, excess)?;
        budget.memory(excess)?;
        // Of a large file each tensor is read by itself, from its first element to its last.
        budget.work(spans / 16)?;
        // In memory these are one; in a file written from them each is there.
        limits::check("expanded_bytes", budget.repetition(), excess_of(&shared))?;
        Ok(Self { plans, storages, uses })
    }

    /// Reads the tensor of this index. Storages that other plans need too are kept in `cache`; without one
    /// no more than the tensor is read into memory, however large the storage that it is a piece
    /// of.
    pub(crate) fn tensor<R: Input>(
        &self,
        index: usize,
        source: &mut Source<R>,
        cache: Option<&mut StorageCache>,
    ) -> Result<Tensor, ErrorKind> {
        let Some(plan) = self.plans.get(index) else {
            let expected = format!("at most {} tensors", self.plans.len());
            return Err(ErrorKind::inconsistent("tensors", expected, format!("index {index}")));
        };
        let (is_alone, mut none) = (cache.is_none(), StorageCache::new());
        let cache = cache.unwrap_or(&mut none);
        let mut reader = Reader { plans: self, source, cache };
        match plan {
            Plan::Ready(tensor) => Ok(tensor.clone()),
            Plan::View(view) if is_alone => reader.piece(view),
            Plan::View(view) => reader.view(view),
            Plan::Rows { dtype, row, rows } => {
                Tensor::from_block(*dtype, plan.shape(), reader.rows(*dtype, row, rows)?)
            }
        }
    }
}

/// Storages that were read and are needed again.
pub(crate) type StorageCache = HashMap<u32, Arc<Block>>;

struct Reader<'r, R> {
    plans: &'r Plans,
    source: &'r mut Source<R>,
    cache: &'r mut StorageCache,
}

impl<R: Input> Reader<'_, R> {
    /// A view, read without the bytes before its first element and after its last.
    fn piece(&mut self, view: &View) -> Result<Tensor, ErrorKind> {
        let (Some(storage), Some(span)) = (self.plans.storages.get(view.storage), view.span())
        else {
            return Err(out_of_memory(view.bytes().unwrap_or(u64::MAX)));
        };
        if span == (0..storage.bytes) {
            return self.view(view);
        }
        let mut block = zeroed(span.end - span.start)?;
        let (index, key) = (storage.index, &storage.key);
        self.source.read_piece(index, key, span.start, block.bytes_mut())?;
        let (size, shape) = (view.dtype.size_bytes(), view.shape.clone());
        if let Some(stride) = &view.stride {
            let mut copy = zeroed(view.bytes().unwrap_or(u64::MAX))?;
            self.gathered(gather(block.bytes(), size, 0, &shape, stride, copy.bytes_mut()))?;
            block = copy;
        }
        Tensor::from_block(view.dtype, shape, block)
    }

    fn view(&mut self, view: &View) -> Result<Tensor, ErrorKind> {
        let block = self.storage(view.storage)?;
        let Some(range) = range(view) else {
            return Err(out_of_memory(view.bytes().unwrap_or(u64::MAX)));
        };
        let (size, shape) = (view.dtype.size_bytes(), view.shape.clone());
        let Some(stride) = &view.stride else {
            return Tensor::in_block(view.dtype, shape, block, range);
        };
        let mut copy = zeroed(range.len() as u64)?;
        self.gathered(gather(block.bytes(), size, view.start, &shape, stride, copy.bytes_mut()))?;
        Tensor::from_block(view.dtype, shape, copy)
    }

    /// Rows, each to its place, in the order in which their storages lie in the file.
    fn rows(&mut self, dtype: Dtype, row: &[usize], rows: &[RowView]) -> Result<Block, ErrorKind> {
        let bytes = row_bytes(dtype, row);
        let mut block = zeroed(bytes.saturating_mul(rows.len() as u64))?;
        if block.bytes().is_empty() {
            return Ok(block);
        }
        let length = usize::try_from(bytes).unwrap_or(usize::MAX);
        let mut slots = Vec::new();
        slots.try_reserve_exact(rows.len()).map_err(|_| out_of_memory(rows.len() as u64))?;
        slots.extend(rows.iter().zip(block.bytes_mut().chunks_exact_mut(length)));
        let storages = &self.plans.storages;
        slots.sort_by_key(|(row, _)| storages.get(row.storage).map(|found| found.index));
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

    fn storage(&mut self, index: u32) -> Result<Arc<Block>, ErrorKind> {
        if let Some(block) = self.cache.get(&index) {
            return Ok(Arc::clone(block));
        }
        let bytes = self.plans.storages.get(index).map_or(0, |storage| storage.bytes);
        let mut block = zeroed(bytes)?;
        self.read(index, block.bytes_mut())?;
        let block = Arc::new(block);
        if self.plans.uses.get(index as usize).is_some_and(|&uses| uses > 1) {
            self.cache.insert(index, Arc::clone(&block));
        }
        Ok(block)
    }

    fn read(&mut self, index: u32, into: &mut [u8]) -> Result<(), ErrorKind> {
        let Some(storage) = self.plans.storages.get(index) else {
            return Err(ErrorKind::bad_tensor("unknown", "a storage", "none"));
        };
        self.source.read(storage.index, &storage.key, into)
    }

    /// Views were checked to lie inside: this is for the day when one does not.
    fn gathered(&self, gathered: Option<()>) -> Result<(), ErrorKind> {
        let outside = || ErrorKind::bad_tensor("unknown", "to lie in its storage", "outside");
        gathered.ok_or_else(outside)
    }
}

fn zeroed(bytes: u64) -> Result<Block, ErrorKind> {
    Block::for_section("tensor", bytes)
}

fn out_of_memory(bytes: u64) -> ErrorKind {
    ErrorKind::out_of_memory("tensor", bytes)
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
