//! Looking up values in the tree of a pickle.

use crate::error::kind::ErrorKind;
use crate::limits::Limits;
use crate::read::torch::numpy;
use crate::read::torch::pickle::tree::{Item, Node, Tree};
use crate::read::torch::shown::shown;
use crate::read::torch::storages::Storages;
use crate::read::torch::tensors::Plan;

/// The value of a key that is there once at most.
pub(super) fn entry(tree: &Tree<'_>, dict: Item, key: &str) -> Result<Option<Item>, ErrorKind> {
    let entries = tree.dict(dict).unwrap_or_default();
    tree.budget.work(2 * entries.len())?;
    let mut found = entries.iter().filter(|(found, _)| tree.is_text(*found, key));
    let first = found.next().map(|&(_, item)| item);
    if found.next().is_some() {
        return Err(twice(key));
    }
    Ok(first)
}

pub(super) fn twice(key: &str) -> ErrorKind {
    let key = shown(key.as_bytes());
    ErrorKind::bad_pickle("data.pkl", format!("the key `{key}` once"), "twice")
}

/// The plan of a tensor or an array, if it is one.
pub(super) fn plan_of(
    tree: &Tree<'_>,
    storages: &Storages,
    item: Item,
    limits: &Limits,
) -> Result<Option<Plan>, ErrorKind> {
    match tree.node_of(item) {
        Some(Node::Tensor(tensor)) => {
            storages.view(tree, tensor, limits).map(|view| Some(Plan::View(view)))
        }
        Some(Node::Array(Some(state))) => {
            numpy::tensor(tree, state, limits).map(|tensor| Some(Plan::Ready(tensor)))
        }
        _ => Ok(None),
    }
}
