//! gzip and BGZF: members and blocks in any order, each checked, read like `gzip -t` reads them.
//!
//! What follows the last member may be zero bytes, as on tapes. BGZF is gzip whose members name their size;
//! a complete BGZF file ends in an empty block, and a file without it may have been cut between two blocks.
#![expect(
    clippy::indexing_slicing,
    reason = "the decoder returns at most the length of its buffer"
)]

use std::io::{self, Read};

use flate2::{Crc, Decompress, FlushDecompress, Status};

use super::ending::Ending;
use super::fault::{cut, invalid, trailing};
use crate::lookahead::Lookahead;

pub(super) struct Gzip {
    packed: Lookahead,
    inflate: Decompress,
    crc: Crc,
    state: State,
    /// Whether the current member is a BGZF block.
    is_block: bool,
    /// Whether the last block had content, so that an empty one is still to come.
    end_block_due: bool,
    ending: Ending,
}

#[derive(Clone, Copy)]
enum State {
    Between,
    Data,
    Trailer,
    Ended,
}

impl Gzip {
    pub(super) fn new(packed: Lookahead, ending: Ending) -> Self {
        Self {
            packed,
            inflate: Decompress::new(false),
            crc: Crc::new(),
            state: State::Between,
            is_block: false,
            end_block_due: false,
            ending,
        }
    }

    /// Enters the next member, if there is one.
    fn next_member(&mut self) -> io::Result<State> {
        let position = self.packed.position();
        match self.packed.peek(2)? {
            [0x1f] | [0x1f, 0x8b | 0x9e, ..] => {
                self.is_block = read_header(&mut self.packed)?;
                self.inflate.reset(false);
                self.crc.reset();
                if self.end_block_due && !self.is_block {
                    self.ending.set_incomplete();
                    self.end_block_due = false;
                }
                Ok(State::Data)
            }
            _ => {
                self.packed.skip_zeros()?;
                if !self.packed.peek(1)?.is_empty() {
                    return Err(trailing(position));
                }
                if self.end_block_due {
                    self.ending.set_incomplete();
                }
                Ok(State::Ended)
            }
        }
    }

    /// Decodes into `buf`. No bytes mean only that there may be more.
    fn inflate(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let input = self.packed.peek(1)?;
        let (total_in, total_out) = (self.inflate.total_in(), self.inflate.total_out());
        let at_end = input.is_empty();
        let status = self.inflate.decompress(input, buf, FlushDecompress::None).map_err(invalid)?;
        let used = (self.inflate.total_in() - total_in) as usize;
        let made = (self.inflate.total_out() - total_out) as usize;
        self.packed.consume(used);
        self.crc.update(&buf[..made]);
        match status {
            Status::StreamEnd => self.state = State::Trailer,
            Status::Ok | Status::BufError if used == 0 && made == 0 => {
                return Err(if at_end { cut("a member") } else { invalid("it cannot be decoded") });
            }
            Status::Ok | Status::BufError => {}
        }
        Ok(made)
    }

    /// Checks the sums at the end of a member.
    fn check_trailer(&mut self) -> io::Result<()> {
        let mut sums = [self.crc.sum(), self.crc.amount()].map(u32::to_le_bytes).concat();
        sums.reverse();
        for name in ["checksum", "length"] {
            for _ in 0..4 {
                if Some(take(&mut self.packed, "the end of a member")?) != sums.pop() {
                    return Err(invalid(format!("the {name} of a member does not match its data")));
                }
            }
        }
        self.end_block_due = self.is_block && self.crc.amount() > 0;
        Ok(())
    }
}

impl Read for Gzip {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        if buf.is_empty() {
            return Ok(0);
        }
        loop {
            match self.state {
                State::Between => self.state = self.next_member()?,
                State::Data => {
                    let count = self.inflate(buf)?;
                    if count > 0 {
                        return Ok(count);
                    }
                }
                State::Trailer => {
                    self.check_trailer()?;
                    self.state = State::Between;
                }
                State::Ended => return Ok(0),
            }
        }
    }
}

/// Reads the header of a member, and whether it is that of a BGZF block.
fn read_header(packed: &mut Lookahead) -> io::Result<bool> {
    let mut crc = Crc::new();
    let mut next = || -> io::Result<u8> {
        let byte = take(packed, "the header of a member")?;
        crc.update(&[byte]);
        Ok(byte)
    };
    // The magic number.
    next()?;
    next()?;
    let method = next()?;
    if method != 8 {
        return Err(invalid(format!("compression method {method} of a member is unknown")));
    }
    let flags = next()?;
    if flags & 0xe0 != 0 {
        return Err(invalid(format!("flags 0x{flags:02x} of a member are unknown")));
    }
    for _ in 0..6 {
        next()?;
    }
    let mut extra = Vec::new();
    if flags & 4 != 0 {
        let length = u16::from_le_bytes([next()?, next()?]);
        for _ in 0..length {
            extra.push(next()?);
        }
    }
    // A name and a comment.
    for flag in [8, 16] {
        while flags & flag != 0 && next()? != 0 {}
    }
    if flags & 2 != 0 {
        let expected = crc.sum() as u16;
        let part = "the header of a member";
        if u16::from_le_bytes([take(packed, part)?, take(packed, part)?]) != expected {
            return Err(invalid("the checksum of a member's header does not match"));
        }
    }
    Ok(is_bgzf(&extra))
}

/// Whether an extra field holds the size of a BGZF block.
fn is_bgzf(mut extra: &[u8]) -> bool {
    while let [a, b, low, high, rest @ ..] = extra {
        let length = usize::from(u16::from_le_bytes([*low, *high]));
        if [*a, *b] == *b"BC" && length == 2 && rest.len() >= 2 {
            return true;
        }
        extra = rest.get(length..).unwrap_or_default();
    }
    false
}

fn take(packed: &mut Lookahead, part: &str) -> io::Result<u8> {
    let byte = *packed.peek(1)?.first().ok_or_else(|| cut(part))?;
    packed.consume(1);
    Ok(byte)
}
