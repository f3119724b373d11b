//! A parsed pickle is built on a stack, with marks and a memo, within the limits of a reader.

use crate::error::kind::ErrorKind;
use crate::limits;
use crate::read::torch::pickle::machine::{Machine, push};
use crate::read::torch::pickle::number::FLOAT_BYTES;
use crate::read::torch::pickle::tree::{Handle, Item, Node};

impl Machine<'_, '_> {
    pub(in super::super) fn push(&mut self, item: Item) -> Result<(), ErrorKind> {
        self.made += 1;
        if self.made > self.limits.pickle_nodes {
            let allowed = self.limits.pickle_nodes;
            return limits::check("pickle_nodes", allowed, self.made);
        }
        push(self.tree.budget, &mut self.stack, item)
    }

    /// Adds a node of this height.
    pub(in super::super) fn push_node(&mut self, node: Node, height: u32) -> Result<(), ErrorKind> {
        let Ok(handle) = u32::try_from(self.tree.nodes.len()) else {
            return self.bad("at most 2^32 values", "more");
        };
        limits::check("pickle_depth", self.limits.pickle_depth, height)?;
        push(self.tree.budget, &mut self.tree.nodes, node)?;
        push(self.tree.budget, &mut self.tree.heights, height)?;
        self.push(Item::Node(Handle(handle)))
    }

    /// Takes one value off the stack, not below the last mark.
    pub(in super::super) fn pop(&mut self) -> Result<Item, ErrorKind> {
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
    pub(super) fn pop_mark(&mut self) -> Result<usize, ErrorKind> {
        match self.marks.pop() {
            Some(start) => Ok(start),
            None => self.bad("a mark on the stack", "none"),
        }
    }

    pub(super) fn short_tuple(&mut self, length: usize) -> Result<(), ErrorKind> {
        let mut items = [Item::None; 3];
        for item in items.iter_mut().take(length).rev() {
            *item = self.pop()?;
        }
        let start = self.stack.len();
        for item in items.into_iter().take(length) {
            push(self.tree.budget, &mut self.stack, item)?;
        }
        self.tuple(start)
    }

    /// Remembers the top of the stack. Every pickler numbers its memo from 0 on.
    pub(super) fn put(&mut self, index: u32) -> Result<(), ErrorKind> {
        let next = self.memo.len();
        if index as usize != next {
            return self.bad(format!("index {next} of the memo"), index.to_string());
        }
        let top = self.pop()?;
        push(self.tree.budget, &mut self.stack, top)?;
        push(self.tree.budget, &mut self.memo, top)
    }

    pub(super) fn get(&mut self, index: u32) -> Result<(), ErrorKind> {
        match self.memo.get(index as usize) {
            Some(&item) => self.push(item),
            None => {
                let expected = format!("an index of the memo below {}", self.memo.len());
                self.bad(expected, index.to_string())
            }
        }
    }
}
