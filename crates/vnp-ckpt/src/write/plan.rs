//! The layout of a file: the offset of every section.

use std::io;

use crate::digest::Digest;
use crate::error::kind::ErrorKind;
use crate::header::layout::{OFFSET_BYTES, length_of};
use crate::header::preamble::{PREAMBLE_BYTES, align};
use crate::header::{Encoding, Header};
use crate::limits::{self, Limits};
use crate::version::Version;

/// A header whose sections have their places, and with it the length of the file.
#[derive(Debug)]
pub(crate) struct Plan {
    header: Header,
    header_bytes: u64,
    file_bytes: u64,
}

impl Plan {
    /// Lays the file out for ids of this length together. Refuses a file that the default
    /// limits would refuse to read.
    pub(crate) fn new(header: &Header, id_bytes: u64) -> Result<Self, ErrorKind> {
        let mut header = header.clone();
        header.version = Version::CURRENT;
        let mut plan = Self { header, header_bytes: 0, file_bytes: 0 };
        // A later section has a larger offset, which may take a byte more in the header, which
        // may move the sections: each round moves them only outwards, and few are needed.
        loop {
            let before = (plan.header_bytes, plan.file_bytes);
            plan.place_sections(id_bytes)?;
            plan.header_bytes = plan.pack()?.len() as u64;
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

    /// The header, without digests.
    pub(crate) fn header(&self) -> &Header {
        &self.header
    }

    /// Where the first section starts.
    pub(crate) fn start(&self) -> u64 {
        self.header.sections.first().map_or(self.file_bytes, |section| section.offset)
    }

    /// Length of the file.
    pub(crate) fn file_bytes(&self) -> u64 {
        self.file_bytes
    }

    /// The header with these digests, as long as it was planned.
    pub(crate) fn encode(
        &mut self,
        digests: impl IntoIterator<Item = Digest>,
    ) -> io::Result<Vec<u8>> {
        for (section, digest) in self.header.sections.iter_mut().zip(digests) {
            section.digest = digest;
        }
        let header = self.pack().map_err(io::Error::other)?;
        if header.len() as u64 != self.header_bytes {
            return Err(io::Error::other("the header is not as long as it was planned"));
        }
        Ok(header)
    }

    fn pack(&self) -> Result<Vec<u8>, ErrorKind> {
        self.header.encode().map_err(|error| {
            ErrorKind::inconsistent("header", "one that MessagePack can hold", error.to_string())
        })
    }

    fn place_sections(&mut self, id_bytes: u64) -> Result<(), ErrorKind> {
        let mut offset = align(PREAMBLE_BYTES + self.header_bytes);
        for section in &mut self.header.sections {
            let text = if let Encoding::Strings { .. } = section.encoding { id_bytes } else { 0 };
            let length = length_of(&section.encoding).and_then(|length| length.checked_add(text));
            (section.offset, section.length) = offset.zip(length).ok_or_else(too_long)?;
            offset = section.offset.checked_add(section.length).and_then(align);
        }
        self.file_bytes = offset.ok_or_else(too_long)?;
        Ok(())
    }
}

/// Length of the ids together, without the table of offsets.
pub(crate) fn id_bytes(ids: &[String]) -> u64 {
    ids.iter().map(|id| id.len() as u64).sum()
}

fn too_long() -> ErrorKind {
    let allowed = Limits::default().total_bytes;
    ErrorKind::LimitExceeded { limit: "total_bytes", allowed, found: u64::MAX }
}

const _: () = assert!(OFFSET_BYTES as usize == size_of::<u64>());
