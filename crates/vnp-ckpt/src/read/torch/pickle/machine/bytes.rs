//! The arguments of opcodes: numbers, lengths, texts; never past the end of the frame.

use crate::error::kind::ErrorKind;
use crate::read::torch::pickle::machine::Machine;
use crate::read::torch::pickle::number::{FLOAT_BYTES, long};
use crate::read::torch::pickle::opcode as op;
use crate::read::torch::pickle::tree::Item;
use crate::read::torch::shown::shown;

/// The longest line of a GLOBAL that is searched for.
const LINE_BYTES: usize = 256;

impl<'p> Machine<'_, 'p> {
    /// The next bytes of this frame.
    pub(super) fn take(&mut self, length: usize) -> Result<&'p [u8], ErrorKind> {
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

    pub(super) fn byte(&mut self) -> Result<u8, ErrorKind> {
        self.array().map(|[byte]| byte)
    }

    pub(super) fn array<const N: usize>(&mut self) -> Result<[u8; N], ErrorKind> {
        let bytes = self.take(N)?;
        Ok(bytes.first_chunk().copied().unwrap_or([0; N]))
    }

    pub(super) fn frame(&mut self) -> Result<(), ErrorKind> {
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
    pub(super) fn line(&mut self) -> Result<&'p [u8], ErrorKind> {
        let rest = self.tree.bytes.get(self.position..).unwrap_or_default();
        let Some(length) = rest.iter().take(LINE_BYTES).position(|&byte| byte == b'\n') else {
            self.ran_out = rest.len() < LINE_BYTES;
            return self.bad("a name in one line", format!("`{}`", shown(rest)));
        };
        let line = self.take(length + 1)?;
        Ok(line.get(..length).unwrap_or_default())
    }

    pub(super) fn long(&mut self) -> Result<(), ErrorKind> {
        let length = self.byte()?;
        let start = self.position as u64;
        let bytes = self.take(length.into())?;
        let item = long(bytes).map_or(Item::BigInt { length: length.into(), start }, Item::Int);
        self.push(item)
    }

    pub(super) fn text(&mut self, length: u32) -> Result<(), ErrorKind> {
        let start = self.position as u64;
        let bytes = self.take(usize::try_from(length).unwrap_or(usize::MAX))?;
        if let Err(error) = std::str::from_utf8(bytes) {
            return self.bad("a text in UTF-8", error.to_string());
        }
        self.push(Item::Text { length, start })
    }

    pub(super) fn blob(&mut self, length: u32) -> Result<(), ErrorKind> {
        let start = self.position as u64;
        self.take(usize::try_from(length).unwrap_or(usize::MAX))?;
        self.push(Item::Bytes { length, start })
    }

    /// This BINFLOAT and all that follow it directly, as one value on the stack.
    pub(super) fn floats(&mut self) -> Result<(), ErrorKind> {
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
    pub(super) fn floats_at(&self, start: u64, count: u32) -> Item {
        let run = Item::Floats { count, start };
        match count {
            1 => self.tree.floats(run).next().map_or(run, Item::Float),
            _ => run,
        }
    }
}
