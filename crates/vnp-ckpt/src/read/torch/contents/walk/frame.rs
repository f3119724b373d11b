//! The containers on the way down to a value.

use std::collections::BTreeMap;

use crate::error::kind::ErrorKind;
use crate::read::torch::contents::lookup::twice;
use crate::read::torch::pickle::tree::{Handle, Item};
use crate::value::Value;

/// A container on the way down, and the progress in it.
pub(super) struct Frame {
    /// Its key in the container above it.
    pub(super) key: String,
    pub(super) members: Members,
    /// How many of the members were inspected.
    pub(super) next: usize,
    pub(super) collected: Collected,
    pub(super) has_tensors: bool,
}

/// The members of a container.
pub(super) enum Members {
    Of(Handle),
    Pairs(Vec<(Item, Item)>),
}

/// The metadata collected from a container.
pub(super) enum Collected {
    /// With nothing at the places of tensors; whether there is anything else.
    List(Vec<Value>, bool),
    Map(BTreeMap<String, Value>),
    /// Nothing: it is a module, of which only tensors are kept.
    Module,
}

impl Frame {
    /// Adds the result of a member.
    pub(super) fn put(&mut self, key: String, value: Option<Value>) -> Result<(), ErrorKind> {
        self.has_tensors |= value.is_none();
        match (&mut self.collected, value) {
            (Collected::List(list, others), value) => {
                *others |= value.is_some();
                list.push(value.unwrap_or(Value::Null));
            }
            (Collected::Map(map), Some(value)) => {
                if map.contains_key(&key) {
                    return Err(twice(&key));
                }
                map.insert(key, value);
            }
            (Collected::Map(_), None) | (Collected::Module, _) => {}
        }
        Ok(())
    }
}

/// Leaves the innermost container: its metadata, `None` where all of it was tensors. `key`
/// becomes its key.
pub(super) fn pop(path: &mut Vec<Frame>, key: &mut String) -> Option<Value> {
    let frame = path.pop()?;
    *key = frame.key;
    match frame.collected {
        Collected::List(list, others) if others || !frame.has_tensors => Some(Value::List(list)),
        Collected::Map(map) if !map.is_empty() || !frame.has_tensors => Some(Value::Map(map)),
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
