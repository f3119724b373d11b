//! A whole pickled module: of all its attributes those that make its state_dict.

use std::collections::HashSet;

use super::super::context::Context;
use super::super::pickle::{Handle, Item, Node, Tree};
use super::{bad, entry, missing};
use crate::Error;

/// The tensors and modules of a module, in the order of its state_dict.
pub(super) fn members(
    tree: &Tree<'_>,
    state: Option<Handle>,
    context: Context<'_>,
) -> Result<Vec<(Item, Item)>, Error> {
    // Every module of PyTorch has all three dicts: without one it is not known what is missing.
    let Some(state) = state.map(Item::Node) else {
        return Err(missing(context, "_parameters"));
    };
    let get = |key| entry(tree, state, key, context);
    let hidden = get("_non_persistent_buffers_set")?.and_then(|set| match tree.node_of(set)? {
        Node::Set(names) => Some(names.as_slice()),
        _ => tree.sequence(set),
    });
    let hidden = hidden.unwrap_or_default().iter().filter_map(|&name| tree.text(name));
    let hidden: HashSet<&str> = hidden.collect();
    let mut members = Vec::new();
    for key in ["_parameters", "_buffers", "_modules"] {
        let item = get(key)?.ok_or_else(|| missing(context, key))?;
        let Some(entries) = tree.dict(item) else {
            return Err(bad(context, key, "a dict", tree.noun(item)));
        };
        let is_hidden =
            |name| key == "_buffers" && tree.text(name).is_some_and(|name| hidden.contains(name));
        members.extend(entries.iter().filter(|(name, _)| !is_hidden(*name)));
    }
    Ok(members)
}
