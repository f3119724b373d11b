//! bzip2: one stream or several, read like `bzip2 -t` reads them.
//!
//! Bytes after the last stream are ignored with a warning, unless they are the start of a further stream.

use std::io::{self, Read};
use std::path::PathBuf;

use bzip2::{Decompress, Status};

use super::ending::warn_once;
use super::fault::{cut, invalid};
use crate::compression::is_bzip2;
use crate::lookahead::Lookahead;

pub(super) struct Bzip2 {
    packed: Lookahead,
    path: PathBuf,
    state: State,
}

enum State {
    Between,
    Stream(Decompress),
    Ended,
}

impl Bzip2 {
    pub(super) fn new(packed: Lookahead, path: PathBuf) -> Self {
        Self { packed, path, state: State::Between }
    }

    /// Enters the next stream, if there is one.
    fn next_stream(&mut self) -> io::Result<State> {
        let next = self.packed.peek(4)?;
        if is_bzip2(next) {
            return Ok(State::Stream(Decompress::new(false)));
        }
        if !next.is_empty() {
            warn_once(
                &self.path,
                "bytes after the end of its bzip2 data are ignored (trailing garbage)",
            );
        }
        Ok(State::Ended)
    }
}

impl Read for Bzip2 {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        if buf.is_empty() {
            return Ok(0);
        }
        loop {
            let decoder = match &mut self.state {
                State::Between => {
                    self.state = self.next_stream()?;
                    continue;
                }
                State::Stream(decoder) => decoder,
                State::Ended => return Ok(0),
            };
            let input = self.packed.peek(1)?;
            let (total_in, total_out) = (decoder.total_in(), decoder.total_out());
            let at_end = input.is_empty();
            let status = decoder.decompress(input, buf).map_err(invalid)?;
            let used = (decoder.total_in() - total_in) as usize;
            let made = (decoder.total_out() - total_out) as usize;
            self.packed.consume(used);
            match status {
                Status::StreamEnd => self.state = State::Between,
                Status::MemNeeded => return Err(io::ErrorKind::OutOfMemory.into()),
                _ if used == 0 && made == 0 => {
                    return Err(if at_end {
                        cut("a stream")
                    } else {
                        invalid("it cannot be decoded")
                    });
                }
                _ => {}
            }
            if made > 0 {
                return Ok(made);
            }
        }
    }
}
