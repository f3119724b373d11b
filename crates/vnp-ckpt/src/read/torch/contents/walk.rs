//! Everything that is not rows: tensors by their paths, and the rest as metadata.

use std::collections::{BTreeMap, HashMap};

use super::super::context::{Context, shown};
use super::super::pickle::{Global, Handle, Item, Node, Tree};
use super::super::storages::Storages;
use super::super::tensors::Plan;
use super::ids::repeated;
use super::{Entry, bad, module, plan_of};
use crate::value::MAX_DEPTH;
use crate::{Error, Value};

mod frame;

use frame::{Frame, Made, Members, name, pop};

/// The longest name of a tensor.
const NAME_BYTES: usize = 1000;

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
    /// Bytes of tensors that were in the pickle, so far.
    made: u64,
}

/// What a value is at first sight.
enum Sight {
    /// `None` for a tensor.
    Value(Option<Value>),
    Container(Members, Made),
}

impl<'w, 'p> Walk<'w, 'p> {
    pub(super) fn new(tree: &'w Tree<'p>, storages: &'w Storages, context: Context<'w>) -> Self {
        let (tensors, arrays) = (Vec::new(), HashMap::new());
        Self { tree, storages, context, tensors, arrays, values: 0, bytes: 0, made: 0 }
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
                        None => pop(&mut path, &mut key),
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
                value = pop(&mut path, &mut key);
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

    /// Looks at a value in the innermost container.
    fn look(&mut self, path: &[Frame], key: &str, item: Item) -> Result<Sight, Error> {
        self.count(1, 0)?;
        let in_module = matches!(path.last(), Some(Frame { made: Made::Module, .. }));
        let value = match item {
            Item::None if in_module => return Ok(Sight::Value(None)),
            Item::Node(handle) => return self.node(path, key, handle, in_module),
            _ if in_module => {
                let found = self.tree.noun(item);
                let field = shown(name(path, key).as_bytes());
                return Err(bad(self.context, field, "a tensor or a module", found));
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
        if let Some(plan) = self.plan(item)? {
            let limits = self.context.limits;
            self.context.limit("sections", limits.sections, self.tensors.len() + 2)?;
            let name = name(path, key);
            if name.len() > NAME_BYTES {
                let what = format!("a name of {} bytes for a tensor", name.len());
                return Err(self.context.unsupported(what, "use shorter keys"));
            }
            self.count(0, name.len() as u64)?;
            self.tensors.push(Entry::free(name, plan));
            return Ok(Sight::Value(None));
        }
        let node = self.tree.node(handle);
        if in_module && !matches!(node, Some(Node::Instance { class: Global::Module, .. })) {
            let found = self.tree.noun(item);
            let field = shown(name(path, key).as_bytes());
            return Err(bad(self.context, field, "a tensor or a module", found));
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
                (Members::Pairs(module::members(self.tree, *state, self.context)?), Made::Module)
            }
            _ => return Err(self.unsupported(path, key, self.tree.noun(item))),
        };
        if path.len() >= MAX_DEPTH && !matches!(made, Made::Module) {
            return Err(self.unsupported(path, key, "metadata of more than 30 levels"));
        }
        Ok(Sight::Container(members, made))
    }

    /// What a tensor or an array is, if it is one. An array is made once.
    pub(super) fn plan(&mut self, item: Item) -> Result<Option<Plan>, Error> {
        let Item::Node(handle) = item else { return Ok(None) };
        if let Some(plan) = self.arrays.get(&handle) {
            return Ok(Some(plan.clone()));
        }
        let plan = plan_of(self.tree, self.storages, item, self.context)?;
        if let Some(plan @ Plan::Ready(_)) = &plan {
            self.note(plan)?;
            self.arrays.insert(handle, plan.clone());
        }
        Ok(plan)
    }

    /// Notes what was made of the pickle: in all it is not much more than the pickle.
    pub(super) fn note(&mut self, plan: &Plan) -> Result<(), Error> {
        if let Plan::Ready(tensor) = plan {
            self.made = self.made.saturating_add(tensor.bytes().len() as u64);
        }
        repeated(self.tree, self.made, self.context)
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
        let shown = shown(name(path, key).as_bytes());
        let remedy = "save tensors, texts, numbers, lists and dicts";
        self.context.unsupported(format!("{what} at `{shown}`"), remedy)
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::forge::*;
    use super::*;
    use crate::Checkpoint;

    fn read(value: &[u8]) -> Checkpoint {
        load_value(value, &[1.0, 2.0]).unwrap()
    }

    #[track_caller]
    fn check_names(value: &[u8], expected: &[&str]) {
        let read = read(value);
        assert_eq!(read.tensors().map(|(name, _)| name).collect::<Vec<_>>(), expected);
        assert_eq!((read.kind(), read.rows().len()), ("weights", 0));
    }

    #[test]
    fn tensors_by_their_paths() {
        let one = || tensor("0", &[2]);
        check_names(&one(), &["tensor"]);
        check_names(&list(&[one(), int(1), one()]), &["0", "2"]);
        check_names(&tuple(&[list(&[one()])]), &["0.0"]);
        check_names(&dict(&[("w", one()), ("m", dict(&[("a.b", one())]))]), &["w", "m.a.b"]);
        check_names(&dict(&[("data", one())]), &["data"]);
    }

    #[track_caller]
    fn check_metadata(value: &[u8], expected: &[(&str, Value)]) {
        let expected = expected.iter().map(|(key, value)| ((*key).to_owned(), value.clone()));
        assert_eq!(read(value).metadata(), &expected.collect::<BTreeMap<_, _>>());
    }

    #[test]
    fn the_rest_is_metadata() {
        let one = || tensor("0", &[2]);
        check_metadata(&dict(&[("w", one())]), &[]);
        check_metadata(&dict(&[("w", dict(&[("x", one())]))]), &[]);
        check_metadata(&dict(&[("e", dict(&[]))]), &[("e", BTreeMap::new().into())]);
        let mixed = dict(&[("w", list(&[one(), int(5)]))]);
        check_metadata(&mixed, &[("w", vec![Value::Null, Value::Int(5)].into())]);
        check_metadata(&int(7), &[("value", Value::Int(7))]);
        let list = list(&[one(), text("x")]);
        check_metadata(&list, &[("value", vec![Value::Null, "x".into()].into())]);
        let floats = || floats(&[0.5, 1.5]);
        let both = || Value::from(vec![Value::Float(0.5), Value::Float(1.5)]);
        check_metadata(&floats(), &[("value", both())]);
        check_metadata(
            &dict(&[("f", floats()), ("t", tuple(&[float(0.5), float(1.5)]))]),
            &[
                ("f", vec![Value::Float(0.5), Value::Float(1.5)].into()),
                ("t", vec![Value::Float(0.5), Value::Float(1.5)].into()),
            ],
        );
        let bytes = call("_codecs", "encode", &[text("\u{ff}a"), text("latin1")]);
        check_metadata(&dict(&[("b", bytes)]), &[("b", vec![0xff, b'a'].into())]);
        let namespace = [b"cargparse\nNamespace\n)\x81", &dict(&[("arch", text("esm"))])[..], b"b"];
        let map = BTreeMap::from([("arch".to_owned(), "esm".into())]);
        check_metadata(
            &dict(&[("args", namespace.concat())]),
            &[("args", Value::Map(map.clone()))],
        );
        check_metadata(&namespace.concat(), &[("arch", "esm".into())]);
        check_metadata(
            &[&b"}(K\x01K\x02\x88K\x03NK\x04G\x3f\xf8\0\0\0\0\0\0K\x05u"[..]].concat(),
            &[("1", 2.into()), ("True", 3.into()), ("None", 4.into()), ("1.5", 5.into())],
        );
    }

    #[track_caller]
    fn check_unsupported(value: &[u8], expected: &str) {
        match load_value(value, &[1.0, 2.0]) {
            Err(Error::Unsupported { what, .. }) => assert_eq!(what, expected),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn what_no_header_can_hold() {
        let big = b"\x8a\x09\0\0\0\0\0\0\0\0\x40".to_vec();
        check_unsupported(&dict(&[("i", list(&[big]))]), "an int of more than 64 bits at `i.0`");
        check_unsupported(
            &dict(&[("c", b"ctorch\nFloatStorage\n".to_vec())]),
            "a class or function at `c`",
        );
        check_unsupported(&dict(&[("s", storage("0", "Float", 2, &[]))]), "a storage at `s`");
        check_unsupported(b"})Ns", "a dict with a tuple as a key");
        let deep = (0..40).fold(int(1), |inner, _| list(&[inner]));
        check_unsupported(
            &dict(&[("d", deep)]),
            "metadata of more than 30 levels at `d.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0....`",
        );
        let deep = (0..31).fold(int(1), |inner, _| list(&[inner]));
        check_unsupported(&dict(&[("d", deep)]), "metadata of more than 30 levels at `d`");
        let deep = (0..30).fold(int(1), |inner, _| list(&[inner]));
        assert!(load_value(&dict(&[("d", deep)]), &[]).is_ok());
    }

    #[test]
    fn keys_are_there_once() {
        let value = dict(&[("m", dict(&[("a", int(1)), ("a", int(2))]))]);
        let Err(Error::BadPickle { found, .. }) = load_value(&value, &[]) else {
            panic!("the last of two values held")
        };
        assert_eq!(found, "twice");
    }
}
