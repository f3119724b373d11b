//! The writer of native files.
//!
//! Everything about a file but its digests is known before its first byte is written, and a
//! digest has a fixed length. So the sections go out first, in any order and in pieces of any
//! size, each hashed as it is written, from where its bytes lie; the preamble and the header
//! follow into the room that was left for them.

use std::io::{self, Seek, SeekFrom, Write};

use super::plan::Plan;
use crate::digest::{Digest, Hasher};
use crate::header::preamble::{ALIGNMENT, PREAMBLE_BYTES, Preamble};
use crate::version::Version;

/// How much is hashed and written at a time: little enough to stay in a core's cache.
const STEP_BYTES: usize = 256 << 10;

/// Shorter pieces are collected before they are written.
const BUFFER_BYTES: usize = 64 << 10;

/// A file that is being written. It does not hold the file, which is given to each call.
#[derive(Debug)]
pub(crate) struct NativeWriter {
    plan: Plan,
    /// One for each section of the plan.
    sections: Vec<Progress>,
    /// Where the file stands.
    position: u64,
}

impl NativeWriter {
    /// Starts an empty file.
    pub(crate) fn new(plan: Plan) -> Self {
        let sections = plan.header().sections.iter().map(|_| Progress::default()).collect();
        Self { plan, sections, position: 0 }
    }

    /// The plan of the file.
    pub(crate) fn plan(&self) -> &Plan {
        &self.plan
    }

    /// How much of a section is still to come.
    pub(crate) fn left(&self, index: usize) -> u64 {
        let length = self.plan.header().sections.get(index).map_or(0, |section| section.length);
        length - self.sections.get(index).map_or(0, |progress| progress.taken_bytes)
    }

    /// Writes the next bytes of a section, at most as many as are [`left`](Self::left).
    pub(crate) fn append(
        &mut self,
        out: &mut (impl Write + Seek),
        index: usize,
        bytes: &[u8],
    ) -> io::Result<()> {
        if bytes.is_empty() {
            return Ok(());
        }
        let left = self.left(index);
        let (Some(section), Some(progress)) =
            (self.plan.header().sections.get(index), self.sections.get_mut(index))
        else {
            return Err(io::ErrorKind::InvalidInput.into());
        };
        if bytes.len() as u64 > left {
            return Err(io::ErrorKind::InvalidInput.into());
        }
        progress.taken_bytes += bytes.len() as u64;
        let is_last = progress.taken_bytes == section.length;
        let mut file = At { out, file: &mut self.position };
        if progress.buffer.len() + bytes.len() < BUFFER_BYTES && !is_last {
            progress.buffer.extend_from_slice(bytes);
            return Ok(());
        }
        let buffer = std::mem::take(&mut progress.buffer);
        for step in buffer.chunks(STEP_BYTES).chain(bytes.chunks(STEP_BYTES)) {
            progress.hasher.update(step);
            file.write(section.offset + progress.written_bytes, step)?;
            progress.written_bytes += step.len() as u64;
        }
        if is_last {
            let end = section.offset + section.length;
            let padding = [0; ALIGNMENT as usize];
            let length = (ALIGNMENT - end % ALIGNMENT) % ALIGNMENT;
            let (padding, _) = padding.split_at(length as usize);
            file.write(end, padding)?;
        }
        Ok(())
    }

    /// Writes the header, when all sections are there, and returns the preamble.
    pub(crate) fn finish(mut self, out: &mut (impl Write + Seek)) -> io::Result<Vec<u8>> {
        if (0..self.sections.len()).any(|index| self.left(index) > 0) {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "sections are missing"));
        }
        let header = self.plan.encode(self.sections.iter().map(Progress::digest))?;
        let preamble = Preamble {
            major: number(Version::CURRENT.major())?,
            minor: number(Version::CURRENT.minor())?,
            header_bytes: header.len() as u64,
            file_bytes: self.plan.file_bytes(),
            header_digest: Digest::of(&header),
        };
        let preamble = preamble.encode();
        let room = usize::try_from(self.plan.start()).map_err(io::Error::other)?;
        let mut bytes = [preamble.as_slice(), &header].concat();
        bytes.resize(room, 0);
        At { out, file: &mut self.position }.write(0, &bytes)?;
        Ok(preamble)
    }
}

/// How far a section has come.
#[derive(Debug, Default)]
struct Progress {
    hasher: Hasher,
    /// Not hashed nor written yet.
    buffer: Vec<u8>,
    taken_bytes: u64,
    written_bytes: u64,
}

impl Progress {
    fn digest(&self) -> Digest {
        self.hasher.finish()
    }
}

/// A file and its position: a write that continues the last one needs no seek.
struct At<'w, W> {
    out: &'w mut W,
    file: &'w mut u64,
}

impl<W: Write + Seek> At<'_, W> {
    fn write(&mut self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        if *self.file != offset {
            *self.file = self.out.seek(SeekFrom::Start(offset))?;
        }
        self.out.write_all(bytes)?;
        *self.file += bytes.len() as u64;
        Ok(())
    }
}

fn number(value: u64) -> io::Result<u16> {
    u16::try_from(value).map_err(io::Error::other)
}

const _: () = assert!(PREAMBLE_BYTES == ALIGNMENT);
