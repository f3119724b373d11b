//! The machine: a stack, a memo, and one opcode after the other.

use super::super::context::{Context, shown};
use super::number::{FLOAT_BYTES, long};
use super::opcode::{self as op, name};
use super::{Global, Handle, Item, Node, Tree};
use crate::Error;

/// The longest line of a GLOBAL that is looked for.
const LINE_BYTES: usize = 256;

/// Where a pickle is from, which decides what its persistent ids look like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// A record of an archive.
    Archive,
    /// A file of before archives.
    Legacy,
}

/// A machine that runs one pickle.
pub(crate) struct Machine<'c, 'p> {
    pub(super) context: Context<'c>,
    pub(super) form: Form,
    name: &'static str,
    position: usize,
    /// Where the frame ends, inside of one.
    frame_end: Option<usize>,
    /// Where the opcode is that runs.
    opcode_at: usize,
    /// Whether the last error is that the bytes are at their end.
    ran_out: bool,
    /// Values made so far.
    made: u64,
    stack: Vec<Item>,
    /// The length of the stack at each mark.
    marks: Vec<usize>,
    memo: Vec<Item>,
    pub(super) tree: Tree<'p>,
}

impl<'c, 'p> Machine<'c, 'p> {
    /// A machine for the pickle that starts at `start`; `name` is what the bytes are called.
    pub(crate) fn new(
        bytes: &'p [u8],
        start: usize,
        form: Form,
        name: &'static str,
        context: Context<'c>,
    ) -> Self {
        let tree = Tree {
            bytes,
            nodes: Vec::new(),
            heights: Vec::new(),
            tuples: Vec::new(),
            root: Item::None,
        };
        Self {
            context,
            form,
            name,
            position: start,
            frame_end: None,
            opcode_at: start,
            ran_out: false,
            made: 0,
            stack: Vec::new(),
            marks: Vec::new(),
            memo: Vec::new(),
            tree,
        }
    }

    /// Where the machine stands: after STOP, once it has run.
    pub(crate) fn position(&self) -> usize {
        self.position
    }

    /// Whether the pickle was not at its end where the bytes were.
    pub(crate) fn ran_out(&self) -> bool {
        self.ran_out
    }

    /// Runs up to STOP. Leaves nothing to run again.
    pub(crate) fn run(&mut self) -> Result<Tree<'p>, Error> {
        let protocol = match self.take(2)? {
            [op::PROTO, protocol] => *protocol,
            other => return self.bad("PROTO first", format!("`{}`", shown(other))),
        };
        if !(2..=5).contains(&protocol) {
            return self.bad("protocol 2 to 5", protocol.to_string());
        }
        while self.step()? {}
        match (self.stack.as_slice(), self.marks.len()) {
            (&[root], 0) if !matches!(root, Item::Floats { .. }) => self.tree.root = root,
            (stack, marks) => {
                let found = format!("{} and {marks} marks", stack.len());
                return self.bad("one value at STOP", found);
            }
        }
        let empty = Tree {
            bytes: self.tree.bytes,
            nodes: Vec::new(),
            heights: Vec::new(),
            tuples: Vec::new(),
            root: Item::None,
        };
        Ok(std::mem::replace(&mut self.tree, empty))
    }

    /// Runs one opcode; whether there is another.
    fn step(&mut self) -> Result<bool, Error> {
        if self.frame_end == Some(self.position) {
            self.frame_end = None;
        }
        self.opcode_at = self.position;
        let opcode = self.byte()?;
        match opcode {
            op::STOP => {
                if let Some(end) = self.frame_end
                    && end != self.position
                {
                    return self.bad("STOP at the end of its frame", format!("byte {end}"));
                }
                return Ok(false);
            }
            op::FRAME => self.frame()?,
            op::MARK => {
                let place = self.stack.len();
                push(&mut self.marks, place, self.context)?;
            }
            op::NONE => self.push(Item::None)?,
            op::NEWTRUE => self.push(Item::Bool(true))?,
            op::NEWFALSE => self.push(Item::Bool(false))?,
            op::BININT => {
                let number = i32::from_le_bytes(self.array()?);
                self.push(Item::Int(number.into()))?;
            }
            op::BININT1 => {
                let number = self.byte()?;
                self.push(Item::Int(number.into()))?;
            }
            op::BININT2 => {
                let number = u16::from_le_bytes(self.array()?);
                self.push(Item::Int(number.into()))?;
            }
            op::LONG1 => self.long()?,
            op::BINFLOAT => self.floats()?,
            op::BINUNICODE => {
                let length = u32::from_le_bytes(self.array()?);
                self.text(length)?;
            }
            op::SHORT_BINUNICODE => {
                let length = self.byte()?;
                self.text(length.into())?;
            }
            op::BINBYTES => {
                let length = u32::from_le_bytes(self.array()?);
                self.blob(length)?;
            }
            op::SHORT_BINBYTES => {
                let length = self.byte()?;
                self.blob(length.into())?;
            }
            op::EMPTY_LIST => self.push_node(Node::List(Vec::new()), 1)?,
            op::EMPTY_SET => self.push_node(Node::Set(Vec::new()), 1)?,
            op::EMPTY_DICT => {
                self.push_node(Node::Dict { entries: Vec::new(), ordered: false }, 1)?;
            }
            op::EMPTY_TUPLE => self.push_node(Node::Tuple(0..0), 1)?,
            op::TUPLE => {
                let start = self.pop_mark()?;
                self.tuple(start)?;
            }
            op::TUPLE1 => self.short_tuple(1)?,
            op::TUPLE2 => self.short_tuple(2)?,
            op::TUPLE3 => self.short_tuple(3)?,
            op::APPEND => {
                let value = self.pop()?;
                let place = self.stack.len();
                push(&mut self.stack, value, self.context)?;
                self.append(place, false)?;
            }
            op::APPENDS => {
                let start = self.pop_mark()?;
                self.append(start, false)?;
            }
            op::ADDITEMS => {
                let start = self.pop_mark()?;
                self.append(start, true)?;
            }
            op::SETITEM => {
                let value = self.pop()?;
                let key = self.pop()?;
                let place = self.stack.len();
                push(&mut self.stack, key, self.context)?;
                push(&mut self.stack, value, self.context)?;
                self.set_items(place)?;
            }
            op::SETITEMS => {
                let start = self.pop_mark()?;
                self.set_items(start)?;
            }
            op::BINPUT => {
                let place = self.byte()?;
                self.put(place.into())?;
            }
            op::LONG_BINPUT => {
                let place = u32::from_le_bytes(self.array()?);
                self.put(place)?;
            }
            op::MEMOIZE => self.put(u32::try_from(self.memo.len()).unwrap_or(u32::MAX))?,
            op::BINGET => {
                let place = self.byte()?;
                self.get(place.into())?;
            }
            op::LONG_BINGET => {
                let place = u32::from_le_bytes(self.array()?);
                self.get(place)?;
            }
            op::GLOBAL => {
                let module = self.line()?;
                let global = self.line()?;
                self.global(module, global)?;
            }
            op::STACK_GLOBAL => {
                let (global, module) = (self.pop()?, self.pop()?);
                let (Some(module), Some(global)) = (self.tree.text(module), self.tree.text(global))
                else {
                    return self.bad("the names of a global", "something else");
                };
                self.global(module.as_bytes(), global.as_bytes())?;
            }
            op::REDUCE => self.reduce()?,
            op::BUILD => self.build()?,
            op::NEWOBJ => self.new_object()?,
            op::BINPERSID => self.persistent()?,
            other => {
                let found = format!("opcode {} ({other:#04x})", name(other));
                return self.bad("an opcode that torch.save writes", found);
            }
        }
        Ok(true)
    }

    /// The error that what the opcode does is not what a checkpoint does.
    pub(super) fn bad<T>(
        &self,
        expected: impl Into<String>,
        found: impl Into<String>,
    ) -> Result<T, Error> {
        Err(self.context.bad_pickle(self.place(), expected, found))
    }

    /// The error that what is said of a tensor makes no sense.
    pub(super) fn bad_tensor<T>(
        &self,
        expected: impl Into<String>,
        found: impl Into<String>,
    ) -> Result<T, Error> {
        Err(self.context.bad_tensor(format!("at {}", self.place()), expected, found))
    }

    fn place(&self) -> String {
        format!("byte {} of {}", self.opcode_at, self.name)
    }

    /// Where the opcode is that runs.
    pub(super) fn opcode_at(&self) -> u64 {
        self.opcode_at as u64
    }

    /// The next bytes of this frame.
    fn take(&mut self, length: usize) -> Result<&'p [u8], Error> {
        let end = self.frame_end.unwrap_or(self.tree.bytes.len());
        let left = self.tree.bytes.get(self.position..end).unwrap_or_default();
        match left.get(..length) {
            Some(bytes) => {
                self.position += length;
                Ok(bytes)
            }
            None => {
                self.ran_out = self.frame_end.is_none();
                let found = format!("{} before the end", left.len());
                self.bad(format!("{length} bytes more"), found)
            }
        }
    }

    fn byte(&mut self) -> Result<u8, Error> {
        self.array().map(|[byte]| byte)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], Error> {
        let bytes = self.take(N)?;
        Ok(bytes.first_chunk().copied().unwrap_or([0; N]))
    }

    fn frame(&mut self) -> Result<(), Error> {
        if let Some(end) = self.frame_end {
            return self.bad(format!("the end of the frame at byte {end}"), "another frame");
        }
        let length = u64::from_le_bytes(self.array()?);
        let left = self.tree.bytes.len() - self.position;
        let Some(length) = usize::try_from(length).ok().filter(|&length| length <= left) else {
            self.ran_out = true;
            return self.bad(format!("a frame of at most {left} bytes"), length.to_string());
        };
        self.frame_end = Some(self.position + length);
        Ok(())
    }

    /// A line up to its end, which is left out.
    fn line(&mut self) -> Result<&'p [u8], Error> {
        let rest = self.tree.bytes.get(self.position..).unwrap_or_default();
        let Some(length) = rest.iter().take(LINE_BYTES).position(|&byte| byte == b'\n') else {
            self.ran_out = rest.len() < LINE_BYTES;
            return self.bad("a name in one line", format!("`{}`", shown(rest)));
        };
        let line = self.take(length + 1)?;
        Ok(line.get(..length).unwrap_or_default())
    }

    fn global(&mut self, module: &[u8], name: &[u8]) -> Result<(), Error> {
        let [module_text, name_text] = [module, name].map(|text| std::str::from_utf8(text).ok());
        let global = module_text.zip(name_text);
        match global.and_then(|(module, name)| Global::find(module, name)) {
            Some(global) => self.push(Item::Global(global)),
            None => Err(Error::ForbiddenGlobal {
                path: self.context.path.to_owned(),
                place: self.place(),
                global: format!("{}.{}", shown(module), shown(name)),
            }),
        }
    }

    fn long(&mut self) -> Result<(), Error> {
        let length = self.byte()?;
        let start = self.position as u64;
        let bytes = self.take(length.into())?;
        let item = long(bytes).map_or(Item::BigInt { length: length.into(), start }, Item::Int);
        self.push(item)
    }

    fn text(&mut self, length: u32) -> Result<(), Error> {
        let start = self.position as u64;
        let bytes = self.take(usize::try_from(length).unwrap_or(usize::MAX))?;
        if let Err(error) = std::str::from_utf8(bytes) {
            return self.bad("a text in UTF-8", error.to_string());
        }
        self.push(Item::Text { length, start })
    }

    fn blob(&mut self, length: u32) -> Result<(), Error> {
        let start = self.position as u64;
        self.take(usize::try_from(length).unwrap_or(usize::MAX))?;
        self.push(Item::Bytes { length, start })
    }

    /// This BINFLOAT and all that follow it directly, as one value on the stack.
    fn floats(&mut self) -> Result<(), Error> {
        let (start, end) = (self.opcode_at, self.frame_end.unwrap_or(self.tree.bytes.len()));
        let rest = self.tree.bytes.get(start..end).unwrap_or_default();
        let (floats, _) = rest.as_chunks::<FLOAT_BYTES>();
        let count = floats.iter().take_while(|[opcode, ..]| *opcode == op::BINFLOAT).count();
        let count = u32::try_from(count).unwrap_or(u32::MAX);
        if count == 0 {
            self.take(FLOAT_BYTES - 1)?;
        }
        self.position = start + count as usize * FLOAT_BYTES;
        self.push(self.floats_at(start as u64, count))
    }

    /// A run of floats, or the one that it is.
    fn floats_at(&self, start: u64, count: u32) -> Item {
        let run = Item::Floats { count, start };
        match count {
            1 => self.tree.floats(run).next().map_or(run, Item::Float),
            _ => run,
        }
    }

    pub(super) fn push(&mut self, item: Item) -> Result<(), Error> {
        self.made += 1;
        if self.made > self.context.limits.pickle_nodes {
            let allowed = self.context.limits.pickle_nodes;
            return self.context.limit("pickle_nodes", allowed, self.made);
        }
        push(&mut self.stack, item, self.context)
    }

    /// Adds a node of this height.
    pub(super) fn push_node(&mut self, node: Node, height: u32) -> Result<(), Error> {
        let Ok(handle) = u32::try_from(self.tree.nodes.len()) else {
            return self.bad("at most 2^32 values", "more");
        };
        self.context.limit("pickle_depth", self.context.limits.pickle_depth, height)?;
        push(&mut self.tree.nodes, node, self.context)?;
        push(&mut self.tree.heights, height, self.context)?;
        self.push(Item::Node(Handle(handle)))
    }

    /// Takes one value off the stack, not below the last mark.
    pub(super) fn pop(&mut self) -> Result<Item, Error> {
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
    fn pop_mark(&mut self) -> Result<usize, Error> {
        match self.marks.pop() {
            Some(place) => Ok(place),
            None => self.bad("a mark on the stack", "none"),
        }
    }

    fn short_tuple(&mut self, length: usize) -> Result<(), Error> {
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

    /// Makes a tuple of the values from `start` on.
    fn tuple(&mut self, start: usize) -> Result<(), Error> {
        let first = self.tree.tuples.len();
        let mut height = 1;
        let items = self.stack.get(start..).unwrap_or_default();
        self.tree
            .tuples
            .try_reserve(items.len())
            .map_err(|_| self.context.out_of_memory(self.name, items.len() as u64))?;
        for &item in items {
            height = height.max(1 + self.height(item));
            if let Item::Floats { .. } = item {
                for float in self.tree.floats(item) {
                    push(&mut self.tree.tuples, Item::Float(float), self.context)?;
                }
            } else {
                push(&mut self.tree.tuples, item, self.context)?;
            }
        }
        self.stack.truncate(start);
        let range = u32::try_from(first).ok().zip(u32::try_from(self.tree.tuples.len()).ok());
        match range {
            Some((first, end)) => self.push_node(Node::Tuple(first..end), height),
            None => self.bad("at most 2^32 members of tuples", "more"),
        }
    }

    /// How deep lists and dicts are nested in a value.
    fn height(&self, item: Item) -> u32 {
        match item {
            Item::Node(handle) => {
                self.tree.heights.get(handle.0 as usize).copied().unwrap_or_default()
            }
            _ => 0,
        }
    }

    /// Notes that `item` is in the container `handle` now.
    pub(super) fn attach(&mut self, handle: Handle, item: Item) -> Result<(), Error> {
        let height = self.height(item).saturating_add(1);
        let Some(own) = self.tree.heights.get_mut(handle.0 as usize) else { return Ok(()) };
        if height > *own {
            self.context.limit("pickle_depth", self.context.limits.pickle_depth, height)?;
            *own = height;
        }
        Ok(())
    }

    /// The container below the values from `start` on, and above the mark before.
    fn below(&self, start: usize) -> Option<Handle> {
        let fence = self.marks.last().copied().unwrap_or_default();
        match self.stack.get(fence..start)?.last()? {
            Item::Node(handle) => Some(*handle),
            _ => None,
        }
    }

    /// Appends the values from `start` on to the list or set below them.
    fn append(&mut self, start: usize, to_set: bool) -> Result<(), Error> {
        let handle = self.below(start);
        let items = self.stack.get(start..).unwrap_or_default();
        let node = handle.and_then(|handle| self.tree.nodes.get_mut(handle.0 as usize));
        let (Some(handle), Some(list)) = (
            handle,
            match node {
                Some(Node::List(list)) if !to_set => Some(list),
                Some(Node::Set(set)) if to_set => Some(set),
                _ => None,
            },
        ) else {
            let expected = if to_set { "a set to add to" } else { "a list to append to" };
            return self.bad(expected, "something else");
        };
        list.try_reserve(items.len())
            .map_err(|_| self.context.out_of_memory(self.name, items.len() as u64))?;
        list.extend_from_slice(items);
        for place in start..self.stack.len() {
            let item = self.stack.get(place).copied().unwrap_or(Item::None);
            self.attach(handle, item)?;
        }
        self.stack.truncate(start);
        Ok(())
    }

    /// Puts the pairs from `start` on into the dict below them.
    fn set_items(&mut self, start: usize) -> Result<(), Error> {
        let handle = self.below(start);
        let mut pairs = Vec::new();
        for &item in self.stack.get(start..).unwrap_or_default() {
            if let Item::Floats { .. } = item {
                for float in self.tree.floats(item) {
                    push(&mut pairs, Item::Float(float), self.context)?;
                }
            } else {
                push(&mut pairs, item, self.context)?;
            }
        }
        let (pairs, odd) = pairs.as_chunks::<2>();
        if !odd.is_empty() {
            return self.bad("pairs of keys and values", "a key alone");
        }
        let is_key = |item| match self.tree.node_of(item) {
            Some(node) => matches!(node, Node::Tuple(_)),
            None => true,
        };
        if let Some(&[key, _]) = pairs.iter().find(|[key, _]| !is_key(*key)) {
            return self.bad("a key of a dict", self.tree.noun(key));
        }
        let node = handle.and_then(|handle| self.tree.nodes.get_mut(handle.0 as usize));
        let (Some(handle), Some(Node::Dict { entries, .. })) = (handle, node) else {
            return self.bad("a dict to put items into", "something else");
        };
        entries
            .try_reserve(pairs.len())
            .map_err(|_| self.context.out_of_memory(self.name, pairs.len() as u64))?;
        entries.extend(pairs.iter().map(|&[key, value]| (key, value)));
        for &[key, value] in pairs {
            self.attach(handle, key)?;
            self.attach(handle, value)?;
        }
        self.stack.truncate(start);
        Ok(())
    }

    /// Remembers the top of the stack. Every pickler numbers its memo from 0 on.
    fn put(&mut self, place: u32) -> Result<(), Error> {
        let next = self.memo.len();
        if place as usize != next {
            return self.bad(format!("place {next} of the memo"), place.to_string());
        }
        let top = self.pop()?;
        push(&mut self.stack, top, self.context)?;
        push(&mut self.memo, top, self.context)
    }

    fn get(&mut self, place: u32) -> Result<(), Error> {
        match self.memo.get(place as usize) {
            Some(&item) => self.push(item),
            None => {
                let expected = format!("a place of the memo below {}", self.memo.len());
                self.bad(expected, place.to_string())
            }
        }
    }
}

/// Pushes where there is memory.
pub(super) fn push<T>(to: &mut Vec<T>, item: T, context: Context<'_>) -> Result<(), Error> {
    if to.len() == to.capacity() {
        let bytes = to.len().saturating_mul(2 * size_of::<T>()) as u64;
        to.try_reserve(1).map_err(|_| context.out_of_memory("data.pkl", bytes))?;
    }
    to.push(item);
    Ok(())
}
