//! Everything that is not rows: tensors by their paths, and the rest as metadata.

use std::collections::{BTreeMap, HashMap};

use crate::error::kind::ErrorKind;
use crate::limits::{self, Limits};
use crate::read::torch::contents::draft::Entry;
use crate::read::torch::contents::ids::repeated;
use crate::read::torch::contents::lookup::plan_of;
use crate::read::torch::contents::module;
use crate::read::torch::pickle::global::Global;
use crate::read::torch::pickle::tree::{Handle, Item, Node, Tree};
use crate::read::torch::shown::shown;
use crate::read::torch::storages::Storages;
use crate::read::torch::tensors::Plan;
use crate::value::MAX_DEPTH;
use crate::value::Value;

mod frame;
mod inert;

use frame::{Collected, Frame, Members, NAME_BYTES, name, name_bytes, pop};

/// A walk through values, and the tensors that it finds.
pub(super) struct Walk<'w, 'p> {
    pub(super) tree: &'w Tree<'p>,
    pub(super) storages: &'w Storages,
    limits: &'w Limits,
    /// Whether values that cannot be recorded are described instead of refused.
    weights_only: bool,
    tensors: Vec<Entry>,
    /// Arrays that were met: each is made once.
    arrays: HashMap<Handle, Plan>,
    /// Values so far, and their bytes with those of names.
    values: u64,
    bytes: u64,
    /// Bytes of tensors that were in the pickle, so far.
    made_bytes: u64,
}

/// The result of visiting a value.
enum Visit {
    /// `None` for a tensor.
    Value(Option<Value>),
    Container(Members, Collected),
}

impl<'w, 'p> Walk<'w, 'p> {
    pub(super) fn new(
        tree: &'w Tree<'p>,
        storages: &'w Storages,
        limits: &'w Limits,
        weights_only: bool,
    ) -> Self {
        Self {
            tree,
            storages,
            limits,
            weights_only,
            tensors: Vec::new(),
            arrays: HashMap::new(),
            values: 0,
            bytes: 0,
            made_bytes: 0,
        }
    }

    /// The tensors found, under their paths.
    pub(super) fn into_tensors(self) -> Vec<Entry> {
        self.tensors
    }

    /// A value of the top level: its tensors are collected below `name`, the rest is metadata.
    /// `None` when there is no rest.
    pub(super) fn value(&mut self, name: &str, item: Item) -> Result<Option<Value>, ErrorKind> {
        let mut path: Vec<Frame> = Vec::new();
        let (mut key, mut item) = (name.to_owned(), item);
        loop {
            let visit = match self.look(&path, &key, item) {
                Err(ErrorKind::Unsupported { what, .. }) if self.weights_only => {
                    Visit::Value(Some(self.described(what)?))
                }
                visit => visit?,
            };
            let mut value = match visit {
                Visit::Value(value) => value,
                Visit::Container(members, collected) => {
                    path.push(Frame { key, members, next: 0, collected, has_tensors: false });
                    let depth = self.limits.pickle_depth;
                    limits::check("pickle_depth", depth, path.len())?;
                    key = String::new();
                    self.floats(&mut path)?;
                    match self.next(&mut path)? {
                        Some(next) => {
                            (key, item) = next;
                            continue;
                        }
                        None => pop(&mut path, &mut key),
                    }
                }
            };
            // Into the container that it is in, and that one, once it is full, into the next.
            loop {
                let Some(frame) = path.last_mut() else { return Ok(value) };
                frame.put(std::mem::take(&mut key), value)?;
                self.floats(&mut path)?;
                if let Some(next) = self.next(&mut path)? {
                    (key, item) = next;
                    break;
                }
                value = pop(&mut path, &mut key);
            }
        }
    }

    /// The next member of the innermost container.
    fn next(&mut self, path: &mut [Frame]) -> Result<Option<(String, Item)>, ErrorKind> {
        let Some(frame) = path.last_mut() else { return Ok(None) };
        let number = frame.next;
        let member = match &frame.members {
            Members::Of(handle) => match self.tree.node(*handle) {
                Some(Node::List(items) | Node::Set(items)) => {
                    items.get(number).map(|&item| (None, item))
                }
                Some(Node::Tuple(_)) => {
                    let items = self.tree.tuple(*handle).unwrap_or_default();
                    items.get(number).map(|&item| (None, item))
                }
                Some(Node::Dict { entries, .. }) => {
                    entries.get(number).map(|&(key, item)| (Some(key), item))
                }
                _ => None,
            },
            Members::Pairs(pairs) => pairs.get(number).map(|&(key, item)| (Some(key), item)),
        };
        let Some((key, item)) = member else { return Ok(None) };
        frame.next += 1;
        let key = match key {
            Some(key) => {
                if let Collected::Map(map) = &frame.collected {
                    self.tree.budget.entry(map.len())?;
                }
                self.key(key)?
            }
            None => number.to_string(),
        };
        Ok(Some((key, item)))
    }

    /// Takes the runs of floats that come next in the innermost container.
    fn floats(&mut self, path: &mut [Frame]) -> Result<(), ErrorKind> {
        let Some(Frame {
            members: Members::Of(handle),
            next,
            collected: Collected::List(collected, others),
            ..
        }) = path.last_mut()
        else {
            return Ok(());
        };
        let Some(Node::List(items) | Node::Set(items)) = self.tree.node(*handle) else {
            return Ok(());
        };
        while let Some(&run @ Item::Floats { count, .. }) = items.get(*next) {
            self.count(count.into(), 0)?;
            self.tree.budget.values(count.into())?;
            collected.extend(self.tree.floats(run).map(Value::Float));
            *others = true;
            *next += 1;
        }
        Ok(())
    }

    /// Looks at a value in the innermost container.
    fn look(&mut self, path: &[Frame], key: &str, item: Item) -> Result<Visit, ErrorKind> {
        self.count(1, 0)?;
        if matches!(path.last(), Some(Frame { collected: Collected::List(..), .. })) {
            self.tree.budget.values(1)?;
        }
        let in_module = matches!(path.last(), Some(Frame { collected: Collected::Module, .. }));
        let value = match item {
            Item::None if in_module => return Ok(Visit::Value(None)),
            Item::Node(handle) => return self.node(path, key, handle, in_module),
            _ if in_module => {
                let found = self.tree.noun(item);
                let field = shown(name(path, key).as_bytes());
                return Err(ErrorKind::bad_header(field, "a tensor or a module", found));
            }
            Item::None => Value::Null,
            Item::Bool(value) => Value::Bool(value),
            Item::Int(value) => Value::Int(value),
            Item::Float(value) => Value::Float(value),
            Item::Text { .. } => Value::String(self.text(item)?),
            Item::Bytes { .. } => {
                self.count_text(item)?;
                Value::Bytes(self.tree.raw(item).to_vec())
            }
            Item::Latin1 { .. } => {
                self.count_text(item)?;
                let text = self.tree.latin1(item).unwrap_or_default();
                let bytes = text.chars().map(|byte| u8::try_from(byte).unwrap_or_default());
                Value::Bytes(bytes.collect())
            }
            Item::BigInt { .. } => {
                return Err(self.unsupported(path, key, "an int of more than 64 bits"));
            }
            Item::Global(Global::Name(name)) => Value::String(name.text().to_owned()),
            // Runs are taken before: there is none elsewhere.
            Item::Global(_) | Item::Floats { .. } => {
                return Err(self.unsupported(path, key, self.tree.noun(item)));
            }
        };
        Ok(Visit::Value(Some(value)))
    }

    fn node(
        &mut self,
        path: &[Frame],
        key: &str,
        handle: Handle,
        in_module: bool,
    ) -> Result<Visit, ErrorKind> {
        let item = Item::Node(handle);
        if let Some(plan) = self.plan(item)? {
            limits::check("sections", self.limits.sections, self.tensors.len() + 2)?;
            let length = name_bytes(path, key);
            if length > NAME_BYTES {
                let what = format!("a name of {length} bytes for a tensor");
                return Err(ErrorKind::unsupported(what, "use shorter keys"));
            }
            self.count(0, length as u64)?;
            let name = name(path, key);
            self.tensors.push(Entry::free(name, plan));
            return Ok(Visit::Value(None));
        }
        let node = self.tree.node(handle);
        if in_module && !matches!(node, Some(Node::Instance { class: Global::Module, .. })) {
            let found = self.tree.noun(item);
            let field = shown(name(path, key).as_bytes());
            return Err(ErrorKind::bad_header(field, "a tensor or a module", found));
        }
        if let Some(value) = self.inert(item)? {
            return Ok(Visit::Value(Some(value)));
        }
        let (members, collected) = match node {
            Some(Node::List(_) | Node::Tuple(_) | Node::Set(_)) => {
                (Members::Of(handle), Collected::List(Vec::new(), false))
            }
            Some(Node::Dict { .. }) => (Members::Of(handle), Collected::Map(BTreeMap::new())),
            Some(Node::Instance { class: Global::Namespace, state }) => {
                let members = state.map_or(Members::Pairs(Vec::new()), Members::Of);
                (members, Collected::Map(BTreeMap::new()))
            }
            Some(Node::Instance { state, .. }) => {
                (Members::Pairs(module::members(self.tree, *state)?), Collected::Module)
            }
            _ => return Err(self.unsupported(path, key, self.tree.noun(item))),
        };
        // Below the top level of a header, and above the text in place of the rest.
        let most = if self.weights_only { MAX_DEPTH - 4 } else { MAX_DEPTH };
        if path.len() >= most && !matches!(collected, Collected::Module) {
            return Err(self.unsupported(path, key, "metadata of more than 30 levels"));
        }
        Ok(Visit::Container(members, collected))
    }

    /// The plan of a tensor or an array, if it is one. An array is converted once.
    pub(super) fn plan(&mut self, item: Item) -> Result<Option<Plan>, ErrorKind> {
        let Item::Node(handle) = item else { return Ok(None) };
        if let Some(plan) = self.arrays.get(&handle) {
            return Ok(Some(plan.clone()));
        }
        let plan = plan_of(self.tree, self.storages, item, self.limits)?;
        if let Some(plan @ Plan::Ready(_)) = &plan {
            self.note(plan)?;
            self.arrays.insert(handle, plan.clone());
        }
        Ok(plan)
    }

    /// Counts the bytes of tensors converted from the pickle: together they are not much more than it.
    pub(super) fn note(&mut self, plan: &Plan) -> Result<(), ErrorKind> {
        if let Plan::Ready(tensor) = plan {
            self.made_bytes = self.made_bytes.saturating_add(tensor.bytes().len() as u64);
        }
        repeated(self.tree, self.made_bytes, self.limits)
    }

    /// A key as text.
    pub(super) fn key(&mut self, key: Item) -> Result<String, ErrorKind> {
        let value = match key {
            Item::Text { .. } => return self.text(key),
            Item::Int(number) => Some(Value::Int(number)),
            Item::Float(number) => Some(Value::Float(number)),
            Item::Bool(value) => Some(Value::Bool(value)),
            Item::None => Some(Value::Null),
            Item::Global(Global::Name(name)) => Some(Value::String(name.text().to_owned())),
            other => match self.inert(other) {
                Err(ErrorKind::Unsupported { .. }) if self.weights_only => None,
                value => value?,
            },
        };
        Ok(match value {
            Some(Value::String(text)) => text,
            Some(Value::Int(number)) => number.to_string(),
            Some(Value::Float(number)) => format!("{number:?}"),
            Some(Value::Bool(true)) => "True".to_owned(),
            Some(Value::Bool(false)) => "False".to_owned(),
            Some(Value::Null) => "None".to_owned(),
            // Numbered: of such keys a dict may have several.
            _ if self.weights_only => format!("{} {}", self.tree.noun(key), self.values),
            _ => {
                let what = format!("a dict with {} as a key", self.tree.noun(key));
                return Err(ErrorKind::unsupported(what, "use texts as keys"));
            }
        })
    }

    /// The description of a value that cannot be recorded.
    fn described(&mut self, what: String) -> Result<Value, ErrorKind> {
        self.count(0, what.len() as u64)?;
        Ok(Value::String(what))
    }

    fn text(&mut self, item: Item) -> Result<String, ErrorKind> {
        self.count_text(item)?;
        Ok(self.tree.text(item).unwrap_or_default().to_owned())
    }

    /// Counts a text or bytes before they are checked or copied.
    pub(super) fn count_text(&mut self, item: Item) -> Result<(), ErrorKind> {
        let length = self.tree.raw(item).len();
        self.count(0, length as u64)?;
        self.tree.budget.text(length)
    }

    /// Counts the values taken from a file; together they are no more than a header may hold.
    fn count(&mut self, values: u64, bytes: u64) -> Result<(), ErrorKind> {
        self.values = self.values.saturating_add(values);
        self.bytes = self.bytes.saturating_add(bytes);
        limits::check("header_values", self.limits.header_values, self.values)?;
        limits::check("header_bytes", self.limits.header_bytes, self.bytes)
    }

    fn unsupported(&self, path: &[Frame], key: &str, what: &str) -> ErrorKind {
        let shown = shown(name(path, key).as_bytes());
        let remedy = "save tensors, texts, numbers, lists and dicts";
        ErrorKind::unsupported(format!("{what} at `{shown}`"), remedy)
    }
}

#[cfg(test)]
mod tests;
