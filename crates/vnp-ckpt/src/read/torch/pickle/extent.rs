//! How much the values of a pickle are when they are written out: a value may be referred to
//! many times, and a few dozen lists can mean more numbers than there are atoms.

use crate::error::kind::ErrorKind;
use crate::limits::{self, Limits};
use crate::read::torch::pickle::tree::{Handle, Item, Node, Tree};

/// Refuses a tree that holds itself somewhere, is nested too deep, or is too large when every
/// reference is followed. A walk through the tree afterwards ends.
pub(crate) fn check(tree: &Tree<'_>, limits: &Limits) -> Result<(), ErrorKind> {
    let Item::Node(root) = tree.root() else { return Ok(()) };
    let mut extents: Vec<Extent> = Vec::new();
    tree.budget.memory(tree.len().saturating_mul(size_of::<Extent>()))?;
    let memory = |_| ErrorKind::out_of_memory("data.pkl", tree.len() as u64);
    extents.try_reserve_exact(tree.len()).map_err(memory)?;
    extents.resize(tree.len(), Extent::Unknown);
    if let Some(extent) = extents.get_mut(root.0 as usize) {
        *extent = Extent::Open;
    }
    // The way down to where we are: nodes, and how many of their members were inspected.
    let mut path = vec![(root, 0_usize, 1_u64)];
    while let Some((handle, next, sum)) = path.last_mut() {
        let handle = *handle;
        let Some(member) = member(tree, handle, *next) else {
            let total = *sum;
            limits::check("pickle_nodes", limits.pickle_nodes, total)?;
            if let Some(extent) = extents.get_mut(handle.0 as usize) {
                *extent = Extent::Known(total);
            }
            path.pop();
            if let Some((_, _, sum)) = path.last_mut() {
                *sum = sum.saturating_add(total);
            }
            continue;
        };
        *next += 1;
        let Item::Node(child) = member else {
            *sum = sum.saturating_add(1);
            continue;
        };
        match extents.get(child.0 as usize) {
            Some(Extent::Known(known)) => *sum = sum.saturating_add(*known),
            Some(Extent::Open) => {
                return Err(ErrorKind::bad_pickle("data.pkl", "values", "one that holds itself"));
            }
            _ => {
                if let Some(extent) = extents.get_mut(child.0 as usize) {
                    *extent = Extent::Open;
                }
                path.push((child, 0, 1));
                limits::check("pickle_depth", limits.pickle_depth, path.len())?;
            }
        }
    }
    Ok(())
}

/// The size of a node, as far as it is known.
#[derive(Clone, Copy, Debug)]
enum Extent {
    Unknown,
    /// It is on the way down.
    Open,
    /// This many values.
    Known(u64),
}

/// The member of this number.
fn member(tree: &Tree<'_>, handle: Handle, number: usize) -> Option<Item> {
    match tree.node(handle)? {
        Node::List(items) | Node::Set(items) => items.get(number).copied(),
        Node::Tuple(_) => tree.tuple(handle)?.get(number).copied(),
        Node::Dict { entries, .. } => {
            let (key, value) = entries.get(number / 2)?;
            Some(if number.is_multiple_of(2) { *key } else { *value })
        }
        Node::Instance { state, .. } => match number {
            0 => state.map(Item::Node),
            _ => None,
        },
        Node::Inert { arguments, .. } => (number == 0).then_some(Item::Node(*arguments)),
        _ => None,
    }
}
