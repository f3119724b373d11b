//! A checkpoint in the making: what the top level of a file was found to mean.

use std::collections::BTreeMap;

use crate::header::Producer;
use crate::read::torch::tensors::Plan;
use crate::rows::RowRange;
use crate::value::Value;

/// The parts of the checkpoint.
pub(super) struct Draft {
    pub(super) kind: String,
    pub(super) rows: RowRange,
    pub(super) ids: Vec<String>,
    pub(super) tensors: Vec<Entry>,
    pub(super) metadata: BTreeMap<String, Value>,
    pub(super) created: String,
    pub(super) producer: Producer,
    pub(super) unknown: BTreeMap<String, Value>,
    pub(super) producer_unknown: BTreeMap<String, Value>,
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
