//! The entries of the top level next to ids and rows.

use std::collections::BTreeSet;

use crate::error::kind::ErrorKind;
use crate::read::torch::contents::draft::Draft;
use crate::read::torch::contents::lookup::twice;
use crate::read::torch::contents::walk::Walk;
use crate::read::torch::pickle::tree::Item;

/// The entries of the top level that were not taken: tensors, and metadata.
pub(super) fn rest(
    draft: &mut Draft,
    walk: &mut Walk<'_, '_>,
    entries: &[(Item, Item)],
    taken: &BTreeSet<&str>,
) -> Result<(), ErrorKind> {
    for &(key, item) in entries {
        let key = walk.key(key)?;
        if taken.contains(key.as_str()) {
            continue;
        }
        walk.tree.budget.entry(draft.description.metadata.len())?;
        if let Some(value) = walk.value(&key, item)?
            && draft.description.metadata.insert(key.clone(), value).is_some()
        {
            return Err(twice(&key));
        }
    }
    Ok(())
}
