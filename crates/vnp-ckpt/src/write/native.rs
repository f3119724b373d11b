//! The writer of native files.
//!
//! Everything about a file but its digests is known before its first byte is written, and a
//! digest has a fixed length. So the sections go out first, each hashed as it is written, from
//! where its bytes lie; the preamble and the header follow into the room that was left for them.

use std::io::{self, BufWriter, Seek, SeekFrom, Write};

use crate::digest::{Digest, Hasher};
use crate::header::layout::{OFFSET_BYTES, length_of};
use crate::header::preamble::{ALIGNMENT, PREAMBLE_BYTES, Preamble, align};
use crate::header::{Encoding, Header};
use crate::{Checkpoint, Error, Limits, Version, limits};

/// How much is hashed and written at a time: little enough to stay in a core's cache.
const STEP_BYTES: usize = 256 << 10;

/// A checkpoint, and where each of its sections goes.
pub(crate) struct Plan<'c> {
    checkpoint: &'c Checkpoint,
    header: Header,
    header_bytes: u64,
    file_bytes: u64,
}

impl<'c> Plan<'c> {
    /// Lays the file out. Refuses what the default limits would refuse to read.
    pub(crate) fn new(checkpoint: &'c Checkpoint) -> Result<Self, Error> {
        let mut header = checkpoint.header().clone();
        header.version = Version::CURRENT;
        let mut plan = Self { checkpoint, header, header_bytes: 0, file_bytes: 0 };
        // A later section has a larger offset, which may take a byte more in the header, which
        // may move the sections: each round moves them only outwards, and few are needed.
        loop {
            let before = (plan.header_bytes, plan.file_bytes);
            plan.place_sections()?;
            plan.header_bytes = plan.encode()?.len() as u64;
            if before == (plan.header_bytes, plan.file_bytes) {
                break;
            }
        }
        let limits = Limits::default();
        limits::check("header_bytes", limits.header_bytes, plan.header_bytes)?;
        limits::check("total_bytes", limits.total_bytes, plan.file_bytes)?;
        if let Some(ids) = plan.header.sections.first() {
            limits::check("id_bytes", limits.id_bytes, ids.length)?;
        }
        Ok(plan)
    }

    /// Length of the file.
    pub(crate) fn file_bytes(&self) -> u64 {
        self.file_bytes
    }

    /// Writes the file from position 0 on, and returns its preamble.
    pub(crate) fn write(mut self, out: &mut (impl Write + Seek)) -> io::Result<Vec<u8>> {
        let start = align(PREAMBLE_BYTES + self.header_bytes).unwrap_or(PREAMBLE_BYTES);
        out.seek(SeekFrom::Start(start))?;
        let ids = write_strings(out, self.checkpoint.ids())?;
        let mut digests = vec![ids];
        for (_, tensor) in self.checkpoint.tensors() {
            let mut section = SectionWriter::new(out);
            section.write_all(tensor.bytes())?;
            digests.push(section.finish()?);
        }
        for (section, digest) in self.header.sections.iter_mut().zip(digests) {
            section.digest = digest;
        }
        let header = self.encode().map_err(io::Error::other)?;
        let preamble = Preamble {
            major: number(Version::CURRENT.major())?,
            minor: number(Version::CURRENT.minor())?,
            header_bytes: self.header_bytes,
            file_bytes: self.file_bytes,
            header_digest: Digest::of(&header),
        };
        let preamble = preamble.encode();
        let padding = vec![0; (start - PREAMBLE_BYTES) as usize - header.len()];
        out.seek(SeekFrom::Start(0))?;
        out.write_all(&[preamble.as_slice(), &header, &padding].concat())?;
        Ok(preamble)
    }

    fn encode(&self) -> Result<Vec<u8>, Error> {
        self.header.encode().map_err(|error| Error::Inconsistent {
            path: None,
            subject: "header".to_owned(),
            expected: "one that MessagePack can hold".to_owned(),
            found: error.to_string(),
        })
    }

    fn place_sections(&mut self) -> Result<(), Error> {
        let text_bytes = self.checkpoint.ids().iter().map(|id| id.len() as u64).sum::<u64>();
        let mut offset = align(PREAMBLE_BYTES + self.header_bytes);
        for section in &mut self.header.sections {
            let text = if let Encoding::Strings { .. } = section.encoding { text_bytes } else { 0 };
            let length = length_of(&section.encoding).and_then(|length| length.checked_add(text));
            (section.offset, section.length) = offset.zip(length).ok_or_else(too_long)?;
            offset = section.offset.checked_add(section.length).and_then(align);
        }
        self.file_bytes = offset.ok_or_else(too_long)?;
        Ok(())
    }
}

fn too_long() -> Error {
    let allowed = Limits::default().total_bytes;
    Error::LimitExceeded { path: None, limit: "total_bytes", allowed, found: u64::MAX }
}

fn number(value: u64) -> io::Result<u16> {
    u16::try_from(value).map_err(io::Error::other)
}

fn write_strings(out: &mut (impl Write + Seek), strings: &[String]) -> io::Result<Digest> {
    let mut buffered = BufWriter::with_capacity(STEP_BYTES, SectionWriter::new(out));
    let mut offset = 0_u64;
    buffered.write_all(&offset.to_le_bytes())?;
    for string in strings {
        offset += string.len() as u64;
        buffered.write_all(&offset.to_le_bytes())?;
    }
    for string in strings {
        buffered.write_all(string.as_bytes())?;
    }
    buffered.into_inner().map_err(io::IntoInnerError::into_error)?.finish()
}

/// Hashes what it writes.
struct SectionWriter<'o, W> {
    out: &'o mut W,
    hasher: Hasher,
    length: u64,
}

impl<'o, W: Write> SectionWriter<'o, W> {
    fn new(out: &'o mut W) -> Self {
        Self { out, hasher: Hasher::new(), length: 0 }
    }

    /// Pads the section and gives its digest.
    fn finish(self) -> io::Result<Digest> {
        let padding = [0; ALIGNMENT as usize];
        let length = (ALIGNMENT - self.length % ALIGNMENT) % ALIGNMENT;
        self.out.write_all(padding.get(..length as usize).unwrap_or_default())?;
        Ok(self.hasher.finish())
    }
}

impl<W: Write> Write for SectionWriter<'_, W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let step = bytes.get(..bytes.len().min(STEP_BYTES)).unwrap_or_default();
        let written = self.out.write(step)?;
        self.hasher.update(step.get(..written).unwrap_or_default());
        self.length += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

const _: () = assert!(OFFSET_BYTES as usize == size_of::<u64>());
