//! The machine: a stack, a memo, and one opcode after the other.

use crate::budget::Budget;
use crate::error::kind::ErrorKind;
use crate::limits::Limits;
use crate::read::torch::pickle::danger;
use crate::read::torch::pickle::global::Global;
use crate::read::torch::pickle::opcode::{self as op, name};
use crate::read::torch::pickle::tree::{Item, Node, Tree};
use crate::read::torch::shown::shown;

mod bytes;
mod containers;
mod stack;

/// The container of a pickle, which decides the form of its persistent ids.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PickleSource {
    /// A record of an archive.
    Archive,
    /// A pre-1.6 (non-zip) file.
    Legacy,
}

/// A machine that runs one pickle.
pub(crate) struct Machine<'c, 'p> {
    pub(super) limits: &'c Limits,
    pub(super) source: PickleSource,
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
    /// A machine for the pickle that starts at `start`; `name` is the name of the bytes in messages.
    pub(crate) fn new(
        bytes: &'p [u8],
        start: usize,
        source: PickleSource,
        name: &'static str,
        limits: &'c Limits,
        budget: &'p Budget,
    ) -> Self {
        let tree = Tree::empty(bytes, budget);
        Self {
            limits,
            source,
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
    pub(crate) fn run(&mut self) -> Result<Tree<'p>, ErrorKind> {
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
        let empty = Tree::empty(self.tree.bytes, self.tree.budget);
        Ok(std::mem::replace(&mut self.tree, empty))
    }

    /// Runs one opcode; whether there is another.
    fn step(&mut self) -> Result<bool, ErrorKind> {
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
                let start = self.stack.len();
                push(self.tree.budget, &mut self.marks, start)?;
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
                let start = self.stack.len();
                push(self.tree.budget, &mut self.stack, value)?;
                self.append(start, false)?;
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
                let start = self.stack.len();
                push(self.tree.budget, &mut self.stack, key)?;
                push(self.tree.budget, &mut self.stack, value)?;
                self.set_items(start)?;
            }
            op::SETITEMS => {
                let start = self.pop_mark()?;
                self.set_items(start)?;
            }
            op::BINPUT => {
                let index = self.byte()?;
                self.put(index.into())?;
            }
            op::LONG_BINPUT => {
                let index = u32::from_le_bytes(self.array()?);
                self.put(index)?;
            }
            op::MEMOIZE => self.put(u32::try_from(self.memo.len()).unwrap_or(u32::MAX))?,
            op::BINGET => {
                let index = self.byte()?;
                self.get(index.into())?;
            }
            op::LONG_BINGET => {
                let index = u32::from_le_bytes(self.array()?);
                self.get(index)?;
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

    /// The error that the current opcode does what no checkpoint does.
    pub(super) fn bad<T>(
        &self,
        expected: impl Into<String>,
        found: impl Into<String>,
    ) -> Result<T, ErrorKind> {
        Err(ErrorKind::bad_pickle(self.here(), expected, found))
    }

    /// The error that the description of a tensor is malformed.
    pub(super) fn bad_tensor<T>(
        &self,
        expected: impl Into<String>,
        found: impl Into<String>,
    ) -> Result<T, ErrorKind> {
        Err(ErrorKind::bad_tensor(format!("at {}", self.here()), expected, found))
    }

    fn here(&self) -> String {
        format!("byte {} of {}", self.opcode_at, self.name)
    }

    /// Where the opcode is that runs.
    pub(super) fn opcode_at(&self) -> u64 {
        self.opcode_at as u64
    }

    fn global(&mut self, module: &[u8], name: &[u8]) -> Result<(), ErrorKind> {
        let [module_text, name_text] = [module, name].map(|text| std::str::from_utf8(text).ok());
        let global = module_text.zip(name_text);
        match global.and_then(|(module, name)| Global::find(module, name)) {
            Some(global) => self.push(Item::Global(global)),
            None => Err(ErrorKind::ForbiddenGlobal {
                position: self.here(),
                global: format!("{}.{}", shown(module), shown(name)),
                // What is not UTF-8 is the name of nothing.
                may_run: global.is_some_and(|(module, name)| danger::may_run(module, name)),
            }),
        }
    }
}

/// Pushes where there is memory. What a list grows by is charged before.
fn push<T>(budget: &Budget, to: &mut Vec<T>, item: T) -> Result<(), ErrorKind> {
    if to.len() == to.capacity() {
        let bytes = to.len().max(4).saturating_mul(size_of::<T>()) as u64;
        budget.memory(bytes)?;
        to.try_reserve(1).map_err(|_| ErrorKind::out_of_memory("data.pkl", bytes))?;
    }
    to.push(item);
    Ok(())
}

/// Makes room for this many more, charged before.
fn reserve<T>(budget: &Budget, to: &mut Vec<T>, count: usize, name: &str) -> Result<(), ErrorKind> {
    let free = to.capacity() - to.len();
    if count > free {
        // A list that is filled for the first time is as long as it will be, most often.
        let more = if to.is_empty() { count } else { count.max(to.len()) };
        let bytes = more.saturating_mul(size_of::<T>()).saturating_add(16) as u64;
        budget.memory(bytes)?;
        to.try_reserve_exact(more).map_err(|_| ErrorKind::out_of_memory(name, bytes))?;
    }
    Ok(())
}
