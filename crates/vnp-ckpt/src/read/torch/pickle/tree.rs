//! The values that a pickle makes.

use std::ops::Range;

use crate::budget::Budget;
use crate::error::kind::ErrorKind;
use crate::read::torch::pickle::global::Global;
use crate::read::torch::pickle::number::{FLOAT_BYTES, floats};
use crate::tensor::dtype::Dtype;

/// The place of a node in its tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Handle(pub(crate) u32);

/// A value: itself where it is small, a place in the pickle where it is bytes, a node otherwise.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Item {
    None,
    Bool(bool),
    Int(i64),
    /// An integer that 64 bits do not hold.
    BigInt {
        length: u32,
        start: u64,
    },
    Float(f64),
    /// This many BINFLOATs; only in lists, and on the stack.
    Floats {
        count: u32,
        start: u64,
    },
    /// UTF-8, checked.
    Text {
        length: u32,
        start: u64,
    },
    Bytes {
        length: u32,
        start: u64,
    },
    /// Text whose characters are bytes.
    Latin1 {
        length: u32,
        start: u64,
    },
    Global(Global),
    Node(Handle),
}

/// A value with others in it.
#[derive(Debug)]
pub(crate) enum Node {
    List(Vec<Item>),
    /// A range of the tree's tuples.
    Tuple(Range<u32>),
    Set(Vec<Item>),
    Dict {
        entries: Vec<(Item, Item)>,
        /// Whether it is an OrderedDict, which may have attributes.
        ordered: bool,
    },
    Storage(Box<StorageNode>),
    Tensor(Box<TensorNode>),
    /// A numpy array, once its state is known.
    Array(Option<Box<ArrayState>>),
    /// A numpy dtype: its name and, once the state is known, its byte order.
    ArrayType {
        name: Item,
        order: Option<Box<Item>>,
    },
    /// A module or a namespace, and its attributes once they are known.
    Instance {
        class: Global,
        state: Option<Handle>,
    },
    /// A small value of a class that has nothing but the arguments that it is made of: a numpy
    /// scalar, a device or a path.
    Inert {
        class: Global,
        arguments: Handle,
    },
}

// A byte of a pickle can be a value: what it takes here decides how many a file may have.
const _: () = assert!(size_of::<Item>() == 16 && size_of::<Node>() <= 32);

/// The description of a tensor's memory.
#[derive(Clone, Copy, Debug)]
pub(crate) struct StorageNode {
    pub(crate) dtype: Dtype,
    /// A text.
    pub(crate) key: Item,
    /// The number of elements: any value, unchecked.
    pub(crate) count: Item,
    /// Where in the pickle it is.
    pub(crate) position: u64,
}

/// The description of a tensor, unchecked.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TensorNode {
    pub(crate) storage: StorageNode,
    pub(crate) offset: Item,
    pub(crate) size: Handle,
    pub(crate) stride: Handle,
    /// Where in the pickle it is.
    pub(crate) position: u64,
}

/// The description of a numpy array, unchecked.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ArrayState {
    pub(crate) shape: Handle,
    pub(crate) dtype: Handle,
    pub(crate) fortran: bool,
    pub(crate) data: Item,
    pub(crate) position: u64,
}

/// All values of a pickle.
#[derive(Debug)]
pub(crate) struct Tree<'p> {
    pub(super) bytes: &'p [u8],
    /// What reading the file may cost.
    pub(crate) budget: &'p Budget,
    pub(super) nodes: Vec<Node>,
    /// How deep lists and dicts are nested below each node, itself included.
    pub(super) heights: Vec<u32>,
    /// The members of all tuples.
    pub(super) tuples: Vec<Item>,
    pub(super) root: Item,
}

impl<'p> Tree<'p> {
    pub(super) fn empty(bytes: &'p [u8], budget: &'p Budget) -> Self {
        let (nodes, heights, tuples) = (Vec::new(), Vec::new(), Vec::new());
        Self { bytes, budget, nodes, heights, tuples, root: Item::None }
    }

    /// The value of the whole.
    pub(crate) fn root(&self) -> Item {
        self.root
    }

    /// Length of the pickle, in bytes.
    pub(crate) fn pickle_bytes(&self) -> u64 {
        self.bytes.len() as u64
    }

    /// All nodes, in the order in which they were made.
    pub(crate) fn nodes(&self) -> impl Iterator<Item = &Node> {
        self.nodes.iter()
    }

    /// Number of nodes.
    pub(crate) fn len(&self) -> usize {
        self.nodes.len()
    }

    pub(crate) fn node(&self, handle: Handle) -> Option<&Node> {
        self.nodes.get(handle.0 as usize)
    }

    /// The node that an item refers to, if it does.
    pub(crate) fn node_of(&self, item: Item) -> Option<&Node> {
        if let Item::Node(handle) = item { self.node(handle) } else { None }
    }

    /// The members of a tuple, if it is one.
    pub(crate) fn tuple(&self, handle: Handle) -> Option<&[Item]> {
        match self.node(handle) {
            Some(Node::Tuple(range)) => self.tuples.get(range.start as usize..range.end as usize),
            _ => None,
        }
    }

    /// The members of a list or tuple; runs of floats are one.
    pub(crate) fn sequence(&self, item: Item) -> Option<&[Item]> {
        match item {
            Item::Node(handle) => match self.node(handle)? {
                Node::List(items) => Some(items),
                Node::Tuple(_) => self.tuple(handle),
                _ => None,
            },
            _ => None,
        }
    }

    /// The entries of a dict.
    pub(crate) fn dict(&self, item: Item) -> Option<&[(Item, Item)]> {
        match self.node_of(item)? {
            Node::Dict { entries, .. } => Some(entries),
            _ => None,
        }
    }

    /// The bytes in the pickle that an item refers to; of floats with their opcodes.
    pub(crate) fn raw(&self, item: Item) -> &'p [u8] {
        let (start, length) = match item {
            Item::BigInt { length, start }
            | Item::Text { length, start }
            | Item::Bytes { length, start }
            | Item::Latin1 { length, start } => (start, u64::from(length)),
            Item::Floats { count, start } => (start, u64::from(count) * FLOAT_BYTES as u64),
            _ => (0, 0),
        };
        // Places were inside when they were made.
        let rest = usize::try_from(start).ok().and_then(|start| self.bytes.get(start..));
        let rest = rest.unwrap_or_default();
        rest.get(..usize::try_from(length).unwrap_or_default()).unwrap_or_default()
    }

    /// The text, if it is one.
    pub(crate) fn text(&self, item: Item) -> Option<&'p str> {
        match item {
            Item::Text { .. } => std::str::from_utf8(self.raw(item)).ok(),
            _ => None,
        }
    }

    /// The text, charged as often as it is asked for: it is checked each time.
    pub(crate) fn charged_text(&self, item: Item) -> Result<Option<&'p str>, ErrorKind> {
        if self.is_str(item) {
            self.budget.work(self.raw(item).len())?;
        }
        Ok(self.text(item))
    }

    /// Whether it is a text.
    pub(crate) fn is_str(&self, item: Item) -> bool {
        matches!(item, Item::Text { .. })
    }

    /// Whether it is this text.
    pub(crate) fn is_text(&self, item: Item, text: &str) -> bool {
        matches!(item, Item::Text { .. }) && self.raw(item) == text.as_bytes()
    }

    /// The characters of bytes spelled as text.
    pub(crate) fn latin1(&self, item: Item) -> Option<&'p str> {
        match item {
            Item::Latin1 { .. } => std::str::from_utf8(self.raw(item)).ok(),
            _ => None,
        }
    }

    /// The floats of a run.
    pub(crate) fn floats(&self, item: Item) -> impl ExactSizeIterator<Item = f64> + use<'p> {
        let run = if matches!(item, Item::Floats { .. }) { self.raw(item) } else { &[] };
        floats(run)
    }

    /// The name of its type, for messages.
    pub(crate) fn noun(&self, item: Item) -> &'static str {
        match item {
            Item::None => "None",
            Item::Bool(_) => "a bool",
            Item::Int(_) | Item::BigInt { .. } => "an int",
            Item::Float(_) | Item::Floats { .. } => "a float",
            Item::Text { .. } => "a str",
            Item::Bytes { .. } | Item::Latin1 { .. } => "bytes",
            Item::Global(_) => "a class or function",
            Item::Node(handle) => match self.node(handle) {
                Some(Node::List(_)) => "a list",
                Some(Node::Tuple(_)) => "a tuple",
                Some(Node::Set(_)) => "a set",
                Some(Node::Dict { .. }) => "a dict",
                Some(Node::Storage(_)) => "a storage",
                Some(Node::Tensor(_)) => "a tensor",
                Some(Node::Array(_)) => "a numpy array",
                Some(Node::ArrayType { .. }) => "a numpy dtype",
                Some(Node::Instance { class: Global::Namespace, .. }) => "a namespace",
                Some(Node::Instance { .. }) => "a module",
                Some(Node::Inert { class: Global::Scalar, .. }) => "a numpy scalar",
                Some(Node::Inert { class: Global::Device, .. }) => "a torch.device",
                Some(Node::Inert { .. }) => "a path",
                None => "nothing",
            },
        }
    }
}
