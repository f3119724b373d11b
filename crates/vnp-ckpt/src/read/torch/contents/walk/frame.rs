//! The containers on the way down to a value.

use std::collections::BTreeMap;

use crate::error::kind::ErrorKind;
use crate::read::torch::contents::lookup::twice;
use crate::read::torch::pickle::tree::{Handle, Item};
use crate::value::Value;

/// The longest name of a tensor.
pub(super) const NAME_BYTES: usize = 1000;

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

/// The start of the path of a value, with dots: as much as a name of a tensor or a message holds.
pub(super) fn name(path: &[Frame], key: &str) -> String {
    let mut name = String::new();
    for (number, key) in keys(path, key).enumerate() {
        if number > 0 {
            name.push('.');
        }
        let left = NAME_BYTES.saturating_sub(name.len());
        let (end, is_all) = if key.len() <= left { (key.len(), true) } else { (left, false) };
        name.push_str(key.get(..key.floor_char_boundary(end)).unwrap_or_default());
        if !is_all {
            break;
        }
    }
    name
}

/// The length of the whole path, in bytes.
pub(super) fn name_bytes(path: &[Frame], key: &str) -> usize {
    keys(path, key).fold(0, |length, key| length + key.len() + 1).saturating_sub(1)
}

/// The keys of the path; those of a top level without a name are left out.
fn keys<'k>(path: &'k [Frame], key: &'k str) -> impl Iterator<Item = &'k str> {
    let all = || path.iter().map(|frame| frame.key.as_str()).chain([key]);
    let top = all().take_while(|key| key.is_empty()).count();
    all().skip(top.min(1))
}
