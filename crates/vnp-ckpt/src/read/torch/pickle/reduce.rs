//! The opcodes that would run a program if this were Python: here each makes one of a few kinds of
//! data, or the file is refused.

use crate::error::kind::ErrorKind;
use crate::read::torch::pickle::global::Global;
use crate::read::torch::pickle::machine::{Machine, PickleSource};
use crate::read::torch::pickle::tree::{ArrayState, Handle, Item, Node, StorageNode, TensorNode};

impl Machine<'_, '_> {
    /// REDUCE: the value that a function would return for a tuple of arguments.
    pub(super) fn reduce(&mut self) -> Result<(), ErrorKind> {
        let arguments = self.pop()?;
        let function = self.pop()?;
        if let (Item::Global(class), Item::Node(arguments)) = (function, arguments)
            && let Some(made) = self.inert(class, arguments)
        {
            return made;
        }
        let (Item::Global(global), Some(arguments)) = (function, self.arguments(arguments)) else {
            return self.bad("a function and its arguments", "something else");
        };
        match (global, arguments.as_slice()) {
            (Global::RebuildTensor, arguments) => self.tensor(arguments),
            (Global::RebuildParameter, arguments) => self.parameter(arguments),
            (Global::OrderedDict, []) => {
                self.push_node(Node::Dict { entries: Vec::new(), ordered: true }, 1)
            }
            // The list itself: nothing asks for less, and a copy would be one more for each call.
            (Global::Set, [list]) if self.tree.sequence(*list).is_some() => self.push(*list),
            (Global::Encode, [text @ Item::Text { length, start }, encoding])
                if self.tree.is_text(*encoding, "latin1") =>
            {
                // Twice: that it is a text, and that it has no other characters.
                self.tree.budget.work(2 * u64::from(*length))?;
                let text = self.tree.text(*text).unwrap_or_default();
                if text.chars().any(|character| character > '\u{ff}') {
                    return self.bad("characters up to U+00FF", "others");
                }
                self.push(Item::Latin1 { length: *length, start: *start })
            }
            (Global::Reconstruct, [Item::Global(Global::Array), shape, kind]) => {
                let empty = self.tree.sequence(*shape);
                let kind = matches!(kind, Item::Bytes { .. } | Item::Latin1 { .. })
                    && self.tree.raw(*kind) == b"b";
                if !matches!(empty, Some([Item::Int(0)])) || !kind {
                    return self.bad("an array to be filled", "another");
                }
                self.push_node(Node::Array(None), 0)
            }
            (Global::ArrayType, [name @ Item::Text { .. }, Item::Bool(_), Item::Bool(_)]) => {
                self.push_node(Node::ArrayType { name: *name, order: None }, 0)
            }
            (global, arguments) => {
                let found = format!("{} for {global:?}", arguments.len());
                self.bad("the arguments that torch.save writes", found)
            }
        }
    }

    /// BUILD: sets the attributes of a value.
    pub(super) fn build(&mut self) -> Result<(), ErrorKind> {
        let state = self.pop()?;
        let object = self.pop()?;
        let Item::Node(handle) = object else {
            return self.bad("a value that takes attributes", self.tree.noun(object));
        };
        match (self.tree.node(handle), self.arguments(state)) {
            (Some(Node::Array(None)), Some(state)) => self.build_array(handle, &state)?,
            (Some(&Node::ArrayType { name, order: None }), Some(state)) => {
                let order = match state.as_slice() {
                    &[
                        Item::Int(_),
                        order @ Item::Text { .. },
                        Item::None,
                        Item::None,
                        Item::None,
                        Item::Int(_),
                        Item::Int(_),
                        Item::Int(_),
                    ] => Some(order),
                    _ => None,
                };
                if order.is_none() {
                    let remedy = "save the array with numbers of one type";
                    return Err(ErrorKind::unsupported("a structured numpy dtype", remedy));
                }
                self.boxed::<Item>()?;
                self.replace(handle, Node::ArrayType { name, order: order.map(Box::new) });
            }
            (Some(&Node::Instance { class, state: None }), None) => {
                let Item::Node(attributes) = state else {
                    return self.bad("a dict of attributes", self.tree.noun(state));
                };
                if !matches!(self.tree.node(attributes), Some(Node::Dict { .. })) {
                    return self.bad("a dict of attributes", self.tree.noun(state));
                }
                self.attach(handle, state)?;
                self.replace(handle, Node::Instance { class, state: Some(attributes) });
            }
            // The versions of modules in a state_dict: nothing that anybody needs.
            (Some(Node::Dict { ordered: true, .. }), None) if self.tree.dict(state).is_some() => {}
            _ => {
                let found = format!("{} with {}", self.tree.noun(object), self.tree.noun(state));
                return self.bad("a value that takes these attributes", found);
            }
        }
        self.push(object)
    }

    /// NEWOBJ: an instance without attributes.
    pub(super) fn new_object(&mut self) -> Result<(), ErrorKind> {
        let arguments = self.pop()?;
        let class = self.pop()?;
        match (class, self.arguments(arguments).as_deref()) {
            (Item::Global(class @ (Global::Module | Global::Namespace)), Some([])) => {
                self.push_node(Node::Instance { class, state: None }, 1)
            }
            (class, _) => {
                self.bad("a module or a namespace, without arguments", self.tree.noun(class))
            }
        }
    }

    /// BINPERSID: a storage.
    pub(super) fn persistent(&mut self) -> Result<(), ErrorKind> {
        let id = self.pop()?;
        let Some(id) = self.arguments(id) else {
            return self.bad("a tuple as persistent id", self.tree.noun(id));
        };
        let &[tag, Item::Global(global), key, location, ref rest @ ..] = id.as_slice() else {
            return self.bad("a storage as persistent id", format!("{} members", id.len()));
        };
        let tag = ["module", "storage"].into_iter().find(|known| self.tree.is_text(tag, known));
        match (tag, global, self.source, rest) {
            // Its class with the source that it was made from, before archives.
            (Some("module"), Global::Module, PickleSource::Legacy, []) => {
                self.push(Item::Global(global))
            }
            (Some("storage"), Global::Storage(dtype), source, &[count, ref view @ ..])
                if self.tree.is_str(key) && self.tree.is_str(location) =>
            {
                match (source, view) {
                    (PickleSource::Archive, []) | (PickleSource::Legacy, [Item::None]) => {}
                    (PickleSource::Legacy, [_]) => {
                        let remedy = "load it with PyTorch and save it again";
                        return Err(ErrorKind::unsupported("a view of a storage", remedy));
                    }
                    _ => return self.bad("a storage as persistent id", "other members"),
                }
                let position = self.opcode_at();
                self.boxed::<StorageNode>()?;
                let storage = StorageNode { dtype, key, count, position };
                self.push_node(Node::Storage(Box::new(storage)), 0)
            }
            _ => self.bad("a storage as persistent id", "another"),
        }
    }

    fn tensor(&mut self, arguments: &[Item]) -> Result<(), ErrorKind> {
        let &[storage, offset, size, stride, Item::Bool(_), hooks, ref metadata @ ..] = arguments
        else {
            let found = format!("{}, or of other types", arguments.len());
            return self.bad_tensor("6 or 7 arguments, the fifth a bool", found);
        };
        let Some(Node::Storage(found)) = self.tree.node_of(storage) else {
            return self.bad_tensor("a storage", self.tree.noun(storage));
        };
        let storage = **found;
        let (Item::Node(size), Item::Node(stride)) = (size, stride) else {
            return self.bad_tensor("tuples for size and stride", "something else");
        };
        if self.tree.tuple(size).is_none() || self.tree.tuple(stride).is_none() {
            return self.bad_tensor("tuples for size and stride", "something else");
        }
        self.no_hooks(hooks)?;
        match metadata {
            [] | [Item::None] => {}
            [metadata] if self.tree.dict(*metadata).is_some_and(<[_]>::is_empty) => {}
            [metadata] if self.tree.dict(*metadata).is_some() => {
                let what = "a lazily conjugated or negated tensor";
                let remedy = "call resolve_conj() and resolve_neg() before saving";
                return Err(ErrorKind::unsupported(what, remedy));
            }
            _ => return self.bad_tensor("6 or 7 arguments", "others"),
        }
        let position = self.opcode_at();
        self.boxed::<TensorNode>()?;
        let tensor = TensorNode { storage, offset, size, stride, position };
        self.push_node(Node::Tensor(Box::new(tensor)), 0)
    }

    fn parameter(&mut self, arguments: &[Item]) -> Result<(), ErrorKind> {
        let &[tensor, Item::Bool(_), hooks] = arguments else {
            return self.bad_tensor("a tensor, a bool and hooks", "others");
        };
        if !matches!(self.tree.node_of(tensor), Some(Node::Tensor(_))) {
            return self.bad_tensor("the tensor of a parameter", self.tree.noun(tensor));
        }
        self.no_hooks(hooks)?;
        self.push(tensor)
    }

    fn no_hooks(&self, hooks: Item) -> Result<(), ErrorKind> {
        match self.tree.dict(hooks) {
            Some([]) => Ok(()),
            _ => self.bad_tensor("no hooks", self.tree.noun(hooks)),
        }
    }

    fn build_array(&mut self, handle: Handle, state: &[Item]) -> Result<(), ErrorKind> {
        let &[Item::Int(_), Item::Node(shape), Item::Node(dtype), Item::Bool(fortran), data] =
            state
        else {
            return self.bad("the state of an array", format!("{} members", state.len()));
        };
        if self.tree.tuple(shape).is_none() {
            return self.bad("the shape of an array", self.tree.noun(Item::Node(shape)));
        }
        if !matches!(self.tree.node(dtype), Some(Node::ArrayType { order: Some(_), .. })) {
            return self.bad("the dtype of an array", self.tree.noun(Item::Node(dtype)));
        }
        let position = self.opcode_at();
        let state = ArrayState { shape, dtype, fortran, data, position };
        self.boxed::<ArrayState>()?;
        self.replace(handle, Node::Array(Some(Box::new(state))));
        Ok(())
    }

    /// Charges what is allocated beside a node.
    fn boxed<T>(&self) -> Result<(), ErrorKind> {
        self.tree.budget.memory(size_of::<T>() + 16)
    }

    fn replace(&mut self, handle: Handle, node: Node) {
        if let Some(old) = self.tree.nodes.get_mut(handle.0 as usize) {
            *old = node;
        }
    }

    /// The members of a tuple as arguments; as many as any opcode here takes, and one more.
    fn arguments(&self, item: Item) -> Option<Vec<Item>> {
        let Item::Node(handle) = item else { return None };
        let members = self.tree.tuple(handle)?;
        Some(members.iter().take(9).copied().collect())
    }
}
