//! The containers on the way down to a value.

use std::collections::BTreeMap;

use super::super::super::context::Context;
use super::super::super::pickle::{Handle, Item};
use super::super::twice;
use crate::{Error, Value};

/// A container on the way down, and what of it is done.
pub(super) struct Frame {
    /// Its key in the container above it.
    pub(super) key: String,
    pub(super) members: Members,
    /// How many of the members were looked at.
    pub(super) next: usize,
    pub(super) made: Made,
    pub(super) has_tensors: bool,
}

/// What is in a container.
pub(super) enum Members {
    Of(Handle),
    Pairs(Vec<(Item, Item)>),
}

/// What becomes of a container.
pub(super) enum Made {
    /// With nothing at the places of tensors; whether there is anything else.
    List(Vec<Value>, bool),
    Map(BTreeMap<String, Value>),
    /// Nothing: it is a module, of which only tensors are kept.
    Module,
}

impl Frame {
    /// Puts what became of a member where it belongs.
    pub(super) fn put(
        &mut self,
        key: String,
        value: Option<Value>,
        context: Context<'_>,
    ) -> Result<(), Error> {
        self.has_tensors |= value.is_none();
        match (&mut self.made, value) {
            (Made::List(list, others), value) => {
                *others |= value.is_some();
                list.push(value.unwrap_or(Value::Null));
            }
            (Made::Map(map), Some(value)) => {
                if map.contains_key(&key) {
                    return Err(twice(context, &key));
                }
                map.insert(key, value);
            }
            (Made::Map(_), None) | (Made::Module, _) => {}
        }
        Ok(())
    }
}

/// Leaves the innermost container: what became of it, `None` where all of it was tensors. `key`
/// becomes its key.
pub(super) fn pop(path: &mut Vec<Frame>, key: &mut String) -> Option<Value> {
    let frame = path.pop()?;
    *key = frame.key;
    match frame.made {
        Made::List(list, others) if others || !frame.has_tensors => Some(Value::List(list)),
        Made::Map(map) if !map.is_empty() || !frame.has_tensors => Some(Value::Map(map)),
        _ => None,
    }
}

/// The path of a value, with dots.
pub(super) fn name(path: &[Frame], key: &str) -> String {
    let keys = path.iter().map(|frame| frame.key.as_str()).chain([key]);
    let keys: Vec<_> = keys.collect();
    let top = keys.iter().take_while(|key| key.is_empty()).count();
    keys.get(top.min(1)..).unwrap_or_default().join(".")
}
