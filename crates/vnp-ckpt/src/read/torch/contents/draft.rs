//! A checkpoint in the making: what the top level of a file was found to mean.

use std::collections::BTreeMap;

use crate::header::description::Description;
use crate::read::torch::tensors::Plan;
use crate::value::Value;

/// The parts of the checkpoint.
pub(super) struct Draft {
    pub(super) description: Description,
    pub(super) ids: Vec<String>,
    pub(super) tensors: Vec<Entry>,
    pub(super) ids_unknown: BTreeMap<String, Value>,
}

/// A tensor of a checkpoint.
pub(super) struct Entry {
    pub(super) name: String,
    pub(super) per_row: bool,
    pub(super) plan: Plan,
    pub(super) unknown: BTreeMap<String, Value>,
}

impl Entry {
    pub(super) fn row(name: &str, plan: Plan) -> Self {
        Self { name: name.to_owned(), per_row: true, plan, unknown: BTreeMap::new() }
    }

    pub(super) fn free(name: String, plan: Plan) -> Self {
        Self { name, per_row: false, plan, unknown: BTreeMap::new() }
    }
}
