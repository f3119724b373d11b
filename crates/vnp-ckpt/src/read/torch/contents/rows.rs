//! Ids, and the rows that belong to them.

use std::sync::Arc;

use bytemuck::cast_slice_mut;

use super::super::context::{Context, shown};
use super::super::pickle::{Item, Tree};
use super::super::storages::{Storages, View};
use super::super::tensors::Plan;
use super::{bad, entry, missing, tensor};
use crate::tensor::block::Block;
use crate::{Dtype, Error, Tensor};

/// The keys of a row that is a dict.
const LABEL: &str = "label";
const VALUES: &str = "mean_representation";

/// The texts of the ids.
pub(super) fn ids(
    tree: &Tree<'_>,
    key: &str,
    item: Item,
    context: Context<'_>,
) -> Result<Vec<String>, Error> {
    let limits = context.limits;
    let Some(items) = tree.sequence(item) else {
        return Err(bad(context, key, "a list of texts", tree.noun(item)));
    };
    context.limit("ids", limits.ids, items.len())?;
    if let Some(other) = items.iter().find(|&&item| tree.text(item).is_none()) {
        return Err(bad(context, key, "a list of texts", tree.noun(*other)));
    }
    let bytes = items.iter().fold(0_u64, |bytes, &item| bytes + tree.raw(item).len() as u64);
    context.limit("id_bytes", limits.id_bytes, bytes)?;
    repeated(tree, bytes, context)?;
    let memory = |_| context.out_of_memory("ids", bytes);
    let mut ids = Vec::new();
    ids.try_reserve_exact(items.len()).map_err(memory)?;
    for &item in items {
        let text = tree.text(item).unwrap_or_default();
        let mut id = String::new();
        id.try_reserve_exact(text.len()).map_err(memory)?;
        id.push_str(text);
        ids.push(id);
    }
    Ok(ids)
}

/// Refuses what is much more than the pickle that it is from, by repetition.
fn repeated(tree: &Tree<'_>, bytes: u64, context: Context<'_>) -> Result<(), Error> {
    let excess = bytes.saturating_sub(tree.pickle_bytes());
    context.limit("expanded_bytes", context.limits.expanded_bytes, excess)
}

/// The rows under a key.
#[derive(Clone, Copy)]
pub(super) struct Rows<'r, 'p> {
    pub(super) tree: &'r Tree<'p>,
    pub(super) storages: &'r Storages,
    pub(super) context: Context<'r>,
    pub(super) key: &'r str,
}

impl Rows<'_, '_> {
    /// One tensor of all rows, as many as there are ids.
    pub(super) fn plan(&self, item: Item, ids: &[String]) -> Result<Plan, Error> {
        if let Some(plan) = tensor(self.tree, self.storages, item, self.context)? {
            return Ok(plan);
        }
        let Some(items) = self.tree.sequence(item) else {
            return Err(self.bad("a tensor, or a list of rows", item));
        };
        let is_run = |item: &Item| matches!(item, Item::Floats { .. });
        if let Some(&float) = items.iter().find(|item| is_run(item)) {
            return Err(self.bad("rows", float));
        }
        if items.len() != ids.len() {
            let found = items.len().to_string();
            return Err(self.wrong("rows", format!("{}, one an id", ids.len()), found));
        }
        let values = items.iter().zip(ids).enumerate();
        let values = values.map(|(row, (&item, id))| self.values(row, item, id));
        let values = values.collect::<Result<Vec<_>, _>>()?;
        match values.first() {
            Some(Row::View(_)) => self.views(values),
            _ => self.floats(&values),
        }
    }

    /// What is in a row: its label is compared.
    fn values(&self, row: usize, item: Item, id: &str) -> Result<Row, Error> {
        let item = match self.tree.dict(item) {
            None => item,
            Some(entries) => {
                let Some(label) = entry(self.tree, item, LABEL, self.context)? else {
                    return Err(missing(self.context, LABEL));
                };
                match self.tree.text(label) {
                    Some(label) if label == id => {}
                    Some(label) => {
                        let [id, label] = [id, label].map(|text| shown(text.as_bytes()));
                        let subject = format!("label of row {row}");
                        return Err(self.wrong(subject, format!("`{id}`"), format!("`{label}`")));
                    }
                    None => return Err(bad(self.context, LABEL, "a text", self.tree.noun(label))),
                }
                if entries.len() != 2 {
                    let remedy = "save rows of a label and a mean_representation";
                    let what = format!("a row with {} values", entries.len());
                    return Err(self.context.unsupported(what, remedy));
                }
                entry(self.tree, item, VALUES, self.context)?
                    .ok_or_else(|| missing(self.context, VALUES))?
            }
        };
        match tensor(self.tree, self.storages, item, self.context)? {
            Some(Plan::View(view)) => Ok(Row::View(view)),
            Some(_) => {
                let remedy = "save the rows as one array";
                Err(self.context.unsupported("a numpy array for each row", remedy))
            }
            None => self.width(item).map(|width| Row::Floats { item, width }),
        }
    }

    /// Number of floats in a list of floats.
    fn width(&self, item: Item) -> Result<u64, Error> {
        let Some(items) = self.tree.sequence(item) else {
            return Err(self.bad("a row of floats, or a tensor", item));
        };
        items.iter().try_fold(0_u64, |width, &item| match item {
            Item::Float(_) => Ok(width + 1),
            Item::Floats { count, .. } => Ok(width + u64::from(count)),
            other => Err(self.bad("a row of floats", other)),
        })
    }

    /// Rows that are tensors.
    fn views(&self, rows: Vec<Row>) -> Result<Plan, Error> {
        let mut views: Vec<View> = Vec::with_capacity(rows.len());
        for (number, row) in rows.into_iter().enumerate() {
            let Row::View(view) = row else {
                return Err(self.wrong(format!("row {number}"), "a tensor, as before", "floats"));
            };
            if let Some(first) = views.first()
                && (first.dtype, &first.shape) != (view.dtype, &view.shape)
            {
                let expected = format!("{} {:?}, as before", first.dtype, first.shape);
                let found = format!("{} {:?}", view.dtype, view.shape);
                return Err(self.wrong(format!("row {number}"), expected, found));
            }
            views.push(view);
        }
        let (dtype, row) = match views.first() {
            Some(first) => (first.dtype, first.shape.clone()),
            None => (Dtype::F32, vec![0]),
        };
        let limits = self.context.limits;
        self.context.limit("tensor_rank", limits.tensor_rank, row.len() + 1)?;
        Ok(Plan::Rows { dtype, row, rows: views })
    }

    /// Rows that are lists of floats: 32 bits wide where none needs more.
    fn floats(&self, rows: &[Row]) -> Result<Plan, Error> {
        let mut lists = Vec::with_capacity(rows.len());
        let mut width = None;
        for (number, row) in rows.iter().enumerate() {
            let &Row::Floats { item, width: found } = row else {
                return Err(self.wrong(format!("row {number}"), "floats, as before", "a tensor"));
            };
            let expected = *width.get_or_insert(found);
            if expected != found {
                let (expected, found) = (format!("{expected} floats"), found.to_string());
                return Err(self.wrong(format!("row {number}"), expected, found));
            }
            lists.push(self.tree.sequence(item).unwrap_or_default());
        }
        let count = width.unwrap_or_default().saturating_mul(rows.len() as u64);
        repeated(self.tree, count.saturating_mul(4), self.context)?;
        let shape = [rows.len(), usize::try_from(width.unwrap_or_default()).unwrap_or(usize::MAX)];
        let mut block = self.zeroed(count, 4)?;
        let dtype = if fill(self.tree, &lists, cast_slice_mut(block.bytes_mut()), narrow) {
            Dtype::F32
        } else {
            block = self.zeroed(count, 8)?;
            fill(self.tree, &lists, cast_slice_mut(block.bytes_mut()), |value| (value, true));
            Dtype::F64
        };
        let range = 0..block.bytes().len();
        Tensor::from_block(dtype, shape.to_vec(), Arc::new(block), range)
            .map(Plan::Ready)
            .map_err(|error| error.in_file(self.context.path))
    }

    fn zeroed(&self, count: u64, size: u64) -> Result<Block, Error> {
        let bytes = count.saturating_mul(size);
        let memory = || self.context.out_of_memory(self.key, bytes);
        let length = usize::try_from(bytes).map_err(|_| memory())?;
        Block::zeroed(length).map_err(|_| memory())
    }

    fn bad(&self, expected: &str, found: Item) -> Error {
        bad(self.context, self.key, expected, self.tree.noun(found))
    }

    fn wrong(
        &self,
        subject: impl Into<String>,
        expected: impl Into<String>,
        found: impl Into<String>,
    ) -> Error {
        let subject = format!("{} of `{}`", subject.into(), self.key);
        self.context.inconsistent(subject, expected, found)
    }
}

/// What is in a row.
enum Row {
    View(View),
    Floats { item: Item, width: u64 },
}

/// A float in 32 bits, and whether it is the same.
fn narrow(value: f64) -> (f32, bool) {
    let narrow = value as f32;
    (narrow, f64::from(narrow).to_bits() == value.to_bits())
}

/// Writes the floats of lists one behind the other; whether all were exact.
fn fill<T>(
    tree: &Tree<'_>,
    lists: &[&[Item]],
    mut into: &mut [T],
    convert: impl Fn(f64) -> (T, bool),
) -> bool {
    let mut exact = true;
    for &item in lists.iter().copied().flatten() {
        let one = if let Item::Float(value) = item { Some(value) } else { None };
        let run = tree.floats(item);
        let (here, rest) =
            into.split_at_mut((run.len() + usize::from(one.is_some())).min(into.len()));
        for (to, value) in here.iter_mut().zip(run.chain(one)) {
            let (value, same) = convert(value);
            exact &= same;
            *to = value;
        }
        if !exact {
            return false;
        }
        into = rest;
    }
    exact
}
