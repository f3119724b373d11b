//! Tuples, lists, sets and dicts from the values of the stack.

use crate::error::kind::ErrorKind;
use crate::limits;
use crate::read::torch::pickle::machine::{Machine, push, reserve};
use crate::read::torch::pickle::tree::{Handle, Item, Node};

impl Machine<'_, '_> {
    /// Makes a tuple of the values from `start` on.
    pub(super) fn tuple(&mut self, start: usize) -> Result<(), ErrorKind> {
        let first = self.tree.tuples.len();
        let mut height = 1;
        let items = self.stack.get(start..).unwrap_or_default();
        let budget = self.tree.budget;
        reserve(budget, &mut self.tree.tuples, items.len(), self.name)?;
        for &item in items {
            height = height.max(1 + self.height(item));
            if let Item::Floats { .. } = item {
                for float in self.tree.floats(item) {
                    push(budget, &mut self.tree.tuples, Item::Float(float))?;
                }
            } else {
                push(budget, &mut self.tree.tuples, item)?;
            }
        }
        self.stack.truncate(start);
        let range = u32::try_from(first).ok().zip(u32::try_from(self.tree.tuples.len()).ok());
        match range {
            Some((first, end)) => self.push_node(Node::Tuple(first..end), height),
            None => self.bad("at most 2^32 members of tuples", "more"),
        }
    }

    /// How deep lists and dicts are nested in a value.
    pub(in super::super) fn height(&self, item: Item) -> u32 {
        match item {
            Item::Node(handle) => {
                self.tree.heights.get(handle.0 as usize).copied().unwrap_or_default()
            }
            _ => 0,
        }
    }

    /// Notes that `item` is in the container `handle` now.
    pub(in super::super) fn attach(&mut self, handle: Handle, item: Item) -> Result<(), ErrorKind> {
        let height = self.height(item).saturating_add(1);
        let Some(own) = self.tree.heights.get_mut(handle.0 as usize) else { return Ok(()) };
        if height > *own {
            limits::check("pickle_depth", self.limits.pickle_depth, height)?;
            *own = height;
        }
        Ok(())
    }

    /// The container below the values from `start` on, and above the mark before.
    pub(super) fn below(&self, start: usize) -> Option<Handle> {
        let fence = self.marks.last().copied().unwrap_or_default();
        match self.stack.get(fence..start)?.last()? {
            Item::Node(handle) => Some(*handle),
            _ => None,
        }
    }

    /// Appends the values from `start` on to the list or set below them.
    pub(super) fn append(&mut self, start: usize, to_set: bool) -> Result<(), ErrorKind> {
        let handle = self.below(start);
        let items = self.stack.get(start..).unwrap_or_default();
        let node = handle.and_then(|handle| self.tree.nodes.get_mut(handle.0 as usize));
        let (Some(handle), Some(list)) = (
            handle,
            match node {
                Some(Node::List(list)) if !to_set => Some(list),
                Some(Node::Set(set)) if to_set => Some(set),
                _ => None,
            },
        ) else {
            let expected = if to_set { "a set to add to" } else { "a list to append to" };
            return self.bad(expected, "something else");
        };
        reserve(self.tree.budget, list, items.len(), self.name)?;
        list.extend_from_slice(items);
        for index in start..self.stack.len() {
            let item = self.stack.get(index).copied().unwrap_or(Item::None);
            self.attach(handle, item)?;
        }
        self.stack.truncate(start);
        Ok(())
    }

    /// Puts the pairs from `start` on into the dict below them.
    pub(super) fn set_items(&mut self, start: usize) -> Result<(), ErrorKind> {
        let handle = self.below(start);
        let (budget, mut pairs) = (self.tree.budget, Vec::new());
        for &item in self.stack.get(start..).unwrap_or_default() {
            if let Item::Floats { .. } = item {
                for float in self.tree.floats(item) {
                    push(budget, &mut pairs, Item::Float(float))?;
                }
            } else {
                push(budget, &mut pairs, item)?;
            }
        }
        let (pairs, odd) = pairs.as_chunks::<2>();
        if !odd.is_empty() {
            return self.bad("pairs of keys and values", "a key alone");
        }
        let is_key = |item| match self.tree.node_of(item) {
            Some(node) => matches!(node, Node::Tuple(_) | Node::Inert { .. }),
            None => true,
        };
        if let Some(&[key, _]) = pairs.iter().find(|[key, _]| !is_key(*key)) {
            return self.bad("a key of a dict", self.tree.noun(key));
        }
        let node = handle.and_then(|handle| self.tree.nodes.get_mut(handle.0 as usize));
        let (Some(handle), Some(Node::Dict { entries, .. })) = (handle, node) else {
            return self.bad("a dict to put items into", "something else");
        };
        reserve(budget, entries, pairs.len(), self.name)?;
        entries.extend(pairs.iter().map(|&[key, value]| (key, value)));
        for &[key, value] in pairs {
            self.attach(handle, key)?;
            self.attach(handle, value)?;
        }
        self.stack.truncate(start);
        Ok(())
    }
}
