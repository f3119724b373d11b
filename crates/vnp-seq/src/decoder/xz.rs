//! xz: one stream or several, with zero bytes between and after them in fours, like `xz -t` reads them.

use std::io::{self, Read};
use std::mem;

use lzma_rust2::XzReader;

use super::fault::{invalid, trailing};
use crate::compression::XZ_MAGIC;
use crate::lookahead::Lookahead;

/// The largest dictionary. `xz -9` uses 64 MiB; memory grows with the text up to the dictionary's size.
const MEMORY_KIB: u32 = 256 * 1024;

pub(super) struct Xz(State);

enum State {
    Between(Lookahead),
    Stream(Box<XzReader<Lookahead>>),
    /// At the end and after an error.
    Ended,
}

impl Xz {
    /// Decodes `packed`, which starts with [`XZ_MAGIC`] or ends inside it.
    pub(super) fn new(packed: Lookahead) -> Self {
        Self(stream(packed))
    }
}

impl Read for Xz {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        if buf.is_empty() {
            return Ok(0);
        }
        loop {
            self.0 = match mem::replace(&mut self.0, State::Ended) {
                State::Stream(mut reader) => match reader.read(buf)? {
                    0 => State::Between(reader.into_inner()),
                    count => {
                        self.0 = State::Stream(reader);
                        return Ok(count);
                    }
                },
                State::Between(packed) => next_stream(packed)?,
                State::Ended => return Ok(0),
            };
        }
    }
}

fn stream(packed: Lookahead) -> State {
    State::Stream(Box::new(XzReader::new_mem_limit(packed, false, MEMORY_KIB)))
}

/// Enters the next stream, if there is one.
fn next_stream(mut packed: Lookahead) -> io::Result<State> {
    let position = packed.position();
    let zeros = packed.skip_zeros()?;
    let next = packed.peek(XZ_MAGIC.len())?;
    // A stream may be cut inside its magic number, which its decoder reports.
    if !next.starts_with(&XZ_MAGIC) && !XZ_MAGIC.starts_with(next) {
        return Err(trailing(position));
    }
    if !zeros.is_multiple_of(4) {
        return Err(invalid(format!(
            "{zeros} zero bytes follow a stream, which is not a multiple of 4"
        )));
    }
    Ok(if next.is_empty() { State::Ended } else { stream(packed) })
}
