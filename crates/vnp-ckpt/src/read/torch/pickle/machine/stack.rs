//! The stack, its marks, and the memo.

use super::super::number::FLOAT_BYTES;
use super::super::{Handle, Item, Node};
use super::{Machine, push};
use crate::Error;

impl Machine<'_, '_> {
    pub(in super::super) fn push(&mut self, item: Item) -> Result<(), Error> {
        self.made += 1;
        if self.made > self.context.limits.pickle_nodes {
            let allowed = self.context.limits.pickle_nodes;
            return self.context.limit("pickle_nodes", allowed, self.made);
        }
        push(&mut self.stack, item, self.context)
    }

    /// Adds a node of this height.
    pub(in super::super) fn push_node(&mut self, node: Node, height: u32) -> Result<(), Error> {
        let Ok(handle) = u32::try_from(self.tree.nodes.len()) else {
            return self.bad("at most 2^32 values", "more");
        };
        self.context.limit("pickle_depth", self.context.limits.pickle_depth, height)?;
        push(&mut self.tree.nodes, node, self.context)?;
        push(&mut self.tree.heights, height, self.context)?;
        self.push(Item::Node(Handle(handle)))
    }

    /// Takes one value off the stack, not below the last mark.
    pub(in super::super) fn pop(&mut self) -> Result<Item, Error> {
        if self.stack.len() <= self.marks.last().copied().unwrap_or_default() {
            return self.bad("a value on the stack", "none");
        }
        match self.stack.pop() {
            Some(Item::Floats { count, start }) if count > 1 => {
                let rest = self.floats_at(start, count - 1);
                self.stack.push(rest);
                let last = start + u64::from(count - 1) * FLOAT_BYTES as u64;
                Ok(self.floats_at(last, 1))
            }
            Some(item) => Ok(item),
            None => self.bad("a value on the stack", "none"),
        }
    }

    /// Removes the last mark: where the values above it start.
    pub(super) fn pop_mark(&mut self) -> Result<usize, Error> {
        match self.marks.pop() {
            Some(place) => Ok(place),
            None => self.bad("a mark on the stack", "none"),
        }
    }

    pub(super) fn short_tuple(&mut self, length: usize) -> Result<(), Error> {
        let mut items = [Item::None; 3];
        for item in items.iter_mut().take(length).rev() {
            *item = self.pop()?;
        }
        let start = self.stack.len();
        for item in items.into_iter().take(length) {
            push(&mut self.stack, item, self.context)?;
        }
        self.tuple(start)
    }

    /// Remembers the top of the stack. Every pickler numbers its memo from 0 on.
    pub(super) fn put(&mut self, place: u32) -> Result<(), Error> {
        let next = self.memo.len();
        if place as usize != next {
            return self.bad(format!("place {next} of the memo"), place.to_string());
        }
        let top = self.pop()?;
        push(&mut self.stack, top, self.context)?;
        push(&mut self.memo, top, self.context)
    }

    pub(super) fn get(&mut self, place: u32) -> Result<(), Error> {
        match self.memo.get(place as usize) {
            Some(&item) => self.push(item),
            None => {
                let expected = format!("a place of the memo below {}", self.memo.len());
                self.bad(expected, place.to_string())
            }
        }
    }
}
