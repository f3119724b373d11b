//! Everything that is not rows: tensors by their paths, and the rest as metadata.

use std::collections::{BTreeMap, HashMap};

use super::super::context::Context;
use super::super::pickle::{Global, Handle, Item, Node, Tree};
use super::super::storages::Storages;
use super::super::tensors::Plan;
use super::{Entry, bad, entry, missing, tensor, twice};
use crate::value::MAX_DEPTH;
use crate::{Error, Value};

/// A walk through values; what it finds of tensors.
pub(super) struct Walk<'w, 'p> {
    pub(super) tree: &'w Tree<'p>,
    pub(super) storages: &'w Storages,
    context: Context<'w>,
    tensors: Vec<Entry>,
    /// Arrays that were met: each is made once.
    arrays: HashMap<Handle, Plan>,
    /// Values so far, and their bytes with those of names.
    values: u64,
    bytes: u64,
}

/// What a value is at first sight.
enum Sight {
    /// `None` for a tensor.
    Value(Option<Value>),
    Container(Members, Made),
}

/// A container on the way down, and what of it is done.
struct Frame {
    /// Its key in the container above it.
    key: String,
    members: Members,
    /// How many of the members were looked at.
    next: usize,
    made: Made,
    has_tensors: bool,
}

/// What is in a container.
enum Members {
    Of(Handle),
    Pairs(Vec<(Item, Item)>),
}

/// What becomes of a container.
enum Made {
    /// With nothing at the places of tensors; whether there is anything else.
    List(Vec<Value>, bool),
    Map(BTreeMap<String, Value>),
    /// Nothing: it is a module, of which only tensors are kept.
    Module,
}

impl<'w, 'p> Walk<'w, 'p> {
    pub(super) fn new(tree: &'w Tree<'p>, storages: &'w Storages, context: Context<'w>) -> Self {
        let (tensors, arrays) = (Vec::new(), HashMap::new());
        Self { tree, storages, context, tensors, arrays, values: 0, bytes: 0 }
    }

    /// The tensors found, under their paths.
    pub(super) fn into_tensors(self) -> Vec<Entry> {
        self.tensors
    }

    /// A value of the top level: its tensors are collected below `name`, the rest is metadata.
    /// `None` when there is no rest.
    pub(super) fn value(&mut self, name: &str, item: Item) -> Result<Option<Value>, Error> {
        let mut path: Vec<Frame> = Vec::new();
        let (mut key, mut item) = (name.to_owned(), item);
        loop {
            let mut value = match self.look(&path, &key, item)? {
                Sight::Value(value) => value,
                Sight::Container(members, made) => {
                    path.push(Frame { key, members, next: 0, made, has_tensors: false });
                    let depth = self.context.limits.pickle_depth;
                    self.context.limit("pickle_depth", depth, path.len())?;
                    key = String::new();
                    self.floats(&mut path)?;
                    match self.next(&mut path)? {
                        Some(next) => {
                            (key, item) = next;
                            continue;
                        }
                        None => self.pop(&mut path, &mut key),
                    }
                }
            };
            // Into the container that it is in, and that one, once it is full, into the next.
            loop {
                let Some(frame) = path.last_mut() else { return Ok(value) };
                frame.put(std::mem::take(&mut key), value, self.context)?;
                self.floats(&mut path)?;
                if let Some(next) = self.next(&mut path)? {
                    (key, item) = next;
                    break;
                }
                value = self.pop(&mut path, &mut key);
            }
        }
    }

    /// The next member of the innermost container.
    fn next(&mut self, path: &mut [Frame]) -> Result<Option<(String, Item)>, Error> {
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
            Some(key) => self.key(key)?,
            None => number.to_string(),
        };
        Ok(Some((key, item)))
    }

    /// Takes the runs of floats that come next in the innermost container.
    fn floats(&mut self, path: &mut [Frame]) -> Result<(), Error> {
        let Some(Frame {
            members: Members::Of(handle), next, made: Made::List(made, others), ..
        }) = path.last_mut()
        else {
            return Ok(());
        };
        let Some(Node::List(items) | Node::Set(items)) = self.tree.node(*handle) else {
            return Ok(());
        };
        while let Some(&run @ Item::Floats { count, .. }) = items.get(*next) {
            self.count(count.into(), 0)?;
            made.extend(self.tree.floats(run).map(Value::Float));
            *others = true;
            *next += 1;
        }
        Ok(())
    }

    /// What became of the innermost container; `key` becomes its key.
    fn pop(&self, path: &mut Vec<Frame>, key: &mut String) -> Option<Value> {
        let frame = path.pop()?;
        *key = frame.key;
        match frame.made {
            Made::List(list, others) if others || !frame.has_tensors => Some(Value::List(list)),
            Made::Map(map) if !map.is_empty() || !frame.has_tensors => Some(Value::Map(map)),
            _ => None,
        }
    }

    /// Looks at a value in the innermost container.
    fn look(&mut self, path: &[Frame], key: &str, item: Item) -> Result<Sight, Error> {
        self.count(1, 0)?;
        let in_module = matches!(path.last(), Some(Frame { made: Made::Module, .. }));
        let value = match item {
            Item::None if in_module => return Ok(Sight::Value(None)),
            Item::Node(handle) => return self.node(path, key, handle, in_module),
            _ if in_module => {
                let found = self.tree.noun(item);
                return Err(bad(self.context, name(path, key), "a tensor or a module", found));
            }
            Item::None => Value::Null,
            Item::Bool(value) => Value::Bool(value),
            Item::Int(value) => Value::Int(value),
            Item::Float(value) => Value::Float(value),
            Item::Text { .. } => Value::String(self.text(item)?),
            Item::Bytes { .. } => {
                self.count(0, self.tree.raw(item).len() as u64)?;
                Value::Bytes(self.tree.raw(item).to_vec())
            }
            Item::Latin1 { .. } => {
                let text = self.tree.latin1(item).unwrap_or_default();
                self.count(0, text.len() as u64)?;
                let bytes = text.chars().map(|byte| u8::try_from(byte).unwrap_or_default());
                Value::Bytes(bytes.collect())
            }
            Item::BigInt { .. } => {
                return Err(self.unsupported(path, key, "an int of more than 64 bits"));
            }
            // Runs are taken before: there is none elsewhere.
            Item::Global(_) | Item::Floats { .. } => {
                return Err(self.unsupported(path, key, self.tree.noun(item)));
            }
        };
        Ok(Sight::Value(Some(value)))
    }

    fn node(
        &mut self,
        path: &[Frame],
        key: &str,
        handle: Handle,
        in_module: bool,
    ) -> Result<Sight, Error> {
        let item = Item::Node(handle);
        if let Some(plan) = self.plan(handle)? {
            let limits = self.context.limits;
            self.context.limit("sections", limits.sections, self.tensors.len() + 2)?;
            let name = name(path, key);
            self.count(0, name.len() as u64)?;
            self.tensors.push(Entry::free(name, plan));
            return Ok(Sight::Value(None));
        }
        let node = self.tree.node(handle);
        if in_module && !matches!(node, Some(Node::Instance { class: Global::Module, .. })) {
            let found = self.tree.noun(item);
            return Err(bad(self.context, name(path, key), "a tensor or a module", found));
        }
        let (members, made) = match node {
            Some(Node::List(_) | Node::Tuple(_) | Node::Set(_)) => {
                (Members::Of(handle), Made::List(Vec::new(), false))
            }
            Some(Node::Dict { .. }) => (Members::Of(handle), Made::Map(BTreeMap::new())),
            Some(Node::Instance { class: Global::Namespace, state }) => {
                let members = state.map_or(Members::Pairs(Vec::new()), Members::Of);
                (members, Made::Map(BTreeMap::new()))
            }
            Some(Node::Instance { state, .. }) => {
                (Members::Pairs(self.module(*state)?), Made::Module)
            }
            _ => return Err(self.unsupported(path, key, self.tree.noun(item))),
        };
        if path.len() >= MAX_DEPTH && !matches!(made, Made::Module) {
            return Err(self.unsupported(path, key, "metadata of more than 30 levels"));
        }
        Ok(Sight::Container(members, made))
    }

    /// The tensors and modules of a module, in the order of its state_dict.
    fn module(&self, state: Option<Handle>) -> Result<Vec<(Item, Item)>, Error> {
        // Every module of PyTorch has all three dicts: without one it is not known what is missing.
        let Some(state) = state.map(Item::Node) else {
            return Err(missing(self.context, "_parameters"));
        };
        let get = |key| entry(self.tree, state, key, self.context);
        let hidden =
            match get("_non_persistent_buffers_set")?.and_then(|set| self.tree.node_of(set)) {
                Some(Node::Set(names)) => {
                    names.iter().filter_map(|&name| self.tree.text(name)).collect()
                }
                _ => Vec::new(),
            };
        let mut members = Vec::new();
        for key in ["_parameters", "_buffers", "_modules"] {
            let item = get(key)?.ok_or_else(|| missing(self.context, key))?;
            let Some(entries) = self.tree.dict(item) else {
                return Err(bad(self.context, key, "a dict", self.tree.noun(item)));
            };
            let is_hidden = |name| {
                key == "_buffers" && self.tree.text(name).is_some_and(|name| hidden.contains(&name))
            };
            members.extend(entries.iter().filter(|(name, _)| !is_hidden(*name)));
        }
        Ok(members)
    }

    fn plan(&mut self, handle: Handle) -> Result<Option<Plan>, Error> {
        if let Some(plan) = self.arrays.get(&handle) {
            return Ok(Some(plan.clone()));
        }
        let plan = tensor(self.tree, self.storages, Item::Node(handle), self.context)?;
        if let Some(plan @ Plan::Ready(_)) = &plan {
            self.arrays.insert(handle, plan.clone());
        }
        Ok(plan)
    }

    /// A key as text.
    pub(super) fn key(&mut self, key: Item) -> Result<String, Error> {
        Ok(match key {
            Item::Text { .. } => return self.text(key),
            Item::Int(number) => number.to_string(),
            Item::Float(number) => format!("{number:?}"),
            Item::Bool(true) => "True".to_owned(),
            Item::Bool(false) => "False".to_owned(),
            Item::None => "None".to_owned(),
            other => {
                let what = format!("a dict with {} as a key", self.tree.noun(other));
                return Err(self.context.unsupported(what, "use texts as keys"));
            }
        })
    }

    fn text(&mut self, item: Item) -> Result<String, Error> {
        let text = self.tree.text(item).unwrap_or_default();
        self.count(0, text.len() as u64)?;
        Ok(text.to_owned())
    }

    /// Notes what is made of a file; in all it is no more than a header may hold.
    fn count(&mut self, values: u64, bytes: u64) -> Result<(), Error> {
        let limits = self.context.limits;
        self.values = self.values.saturating_add(values);
        self.bytes = self.bytes.saturating_add(bytes);
        self.context.limit("header_values", limits.header_values, self.values)?;
        self.context.limit("header_bytes", limits.header_bytes, self.bytes)
    }

    fn unsupported(&self, path: &[Frame], key: &str, what: &str) -> Error {
        let shown = super::super::context::shown(name(path, key).as_bytes());
        let remedy = "save tensors, texts, numbers, lists and dicts";
        self.context.unsupported(format!("{what} at `{shown}`"), remedy)
    }
}

impl Frame {
    /// Puts what became of a member where it belongs.
    fn put(
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

/// The path of a value, with dots.
fn name(path: &[Frame], key: &str) -> String {
    let keys = path.iter().map(|frame| frame.key.as_str()).chain([key]);
    let keys: Vec<_> = keys.collect();
    let top = keys.iter().take_while(|key| key.is_empty()).count();
    keys.get(top.min(1)..).unwrap_or_default().join(".")
}
