//! The reader of native files, version 1.

use std::io::Read;
use std::path::Path;

use super::container::{Container, Input, Integrity, Origin};
use super::payload::Source;
use crate::digest::Digest;
use crate::header::layout::{self, OFFSET_BYTES};
use crate::header::preamble::{PREAMBLE_BYTES, Preamble};
use crate::header::{Encoding, Header, Section};
use crate::{Error, Limits, Tensor};

/// Reads everything before the first payload of a file of `actual_bytes`.
pub(crate) fn open<R: Read>(
    mut reader: R,
    path: &Path,
    actual_bytes: u64,
    limits: &Limits,
) -> Result<(Header, Source<R>), Error> {
    let preamble = Preamble::read(&mut reader, path, actual_bytes, limits)?;
    let mut source = Source::new(reader, path, PREAMBLE_BYTES, preamble.file_bytes);
    // The preamble has compared this length with the file and the limits.
    let mut bytes = vec![0; usize::try_from(preamble.header_bytes).unwrap_or_default()];
    source.fill(&mut bytes)?;
    if Digest::of(&bytes) != preamble.header_digest {
        let section = "header".to_owned();
        return Err(Error::DigestMismatch { path: path.to_owned(), section });
    }
    let header = Header::decode(&bytes, path, &preamble.version(), limits)?;
    layout::check_read(&header, path, source.position(), preamble.file_bytes, limits)?;
    source.padding()?;
    Ok((header, source))
}

/// A native file whose header was read.
pub(crate) struct NativeFile<R> {
    header: Header,
    source: Source<R>,
}

impl<R: Input> NativeFile<R> {
    pub(crate) fn open(reader: R, origin: Origin<'_>) -> Result<Self, Error> {
        let (header, source) = open(reader, origin.path, origin.length_bytes, origin.limits)?;
        Ok(Self { header, source })
    }

    fn no_such(&self, place: usize, expected: &str) -> Error {
        Error::Inconsistent {
            path: Some(self.source.path().to_owned()),
            subject: format!("section {place}"),
            expected: expected.to_owned(),
            found: "none".to_owned(),
        }
    }
}

impl<R: Input> Container for NativeFile<R> {
    fn header(&self) -> &Header {
        &self.header
    }

    fn integrity(&self) -> Integrity {
        Integrity::Digests
    }

    fn ids(&mut self) -> Result<Vec<String>, Error> {
        let Some(section @ Section { encoding: Encoding::Strings { count }, .. }) =
            self.header.sections.first()
        else {
            return Err(self.no_such(0, "the ids"));
        };
        self.source.seek(section)?;
        let strings = strings(&mut self.source, section, *count)?;
        self.source.padding()?;
        Ok(strings)
    }

    fn tensor(&mut self, place: usize) -> Result<Tensor, Error> {
        let Some(section @ Section { encoding: Encoding::Tensor { dtype, shape, .. }, .. }) =
            self.header.sections.get(place)
        else {
            return Err(self.no_such(place, "a tensor"));
        };
        self.source.seek(section)?;
        let tensor = self.source.tensor(section, *dtype, shape)?;
        self.source.padding()?;
        Ok(tensor)
    }

    fn verify(&mut self) -> Result<(), Error> {
        let Some(section) = self.header.sections.first() else {
            return Err(self.no_such(0, "the ids"));
        };
        self.source.seek(section)?;
        verify(&self.header, &mut self.source)
    }
}

/// Reads the payloads and compares their digests.
pub(crate) fn verify<R: Read>(header: &Header, source: &mut Source<R>) -> Result<(), Error> {
    for section in &header.sections {
        source.skip(section)?;
        source.padding()?;
    }
    Ok(())
}

/// Reads a section of texts: where each starts, where the last ends, then all of them.
fn strings<R: Read>(
    source: &mut Source<R>,
    section: &Section,
    count: u64,
) -> Result<Vec<String>, Error> {
    let memory = |source: &Source<R>| source.out_of_memory(section, section.length);
    let block = source.block(section)?;
    let bytes = block.bytes();
    let path = source.path();
    let wrong = |subject: String, expected: &str, found: String| Error::Inconsistent {
        path: Some(path.to_owned()),
        subject: format!("{subject} of section `{}`", section.name),
        expected: expected.to_owned(),
        found,
    };
    let table_bytes = (count + 1) * OFFSET_BYTES;
    let (table, text) = usize::try_from(table_bytes)
        .ok()
        .and_then(|table_bytes| bytes.split_at_checked(table_bytes))
        .ok_or_else(|| wrong("table".to_owned(), "room for it", section.length.to_string()))?;
    let mut offsets = table
        .chunks_exact(OFFSET_BYTES as usize)
        .map(|offset| offset.try_into().map(u64::from_le_bytes).unwrap_or(u64::MAX));
    let mut start = offsets.next().unwrap_or(u64::MAX);
    if start != 0 {
        return Err(wrong("first offset".to_owned(), "0", start.to_string()));
    }
    let mut strings = Vec::new();
    strings.try_reserve_exact(offsets.len()).map_err(|_| memory(source))?;
    for (index, end) in offsets.enumerate() {
        let slice = usize::try_from(start).ok().zip(usize::try_from(end).ok());
        let slice = slice.and_then(|(start, end)| text.get(start..end)).ok_or_else(|| {
            let expected = "an end not before the start nor after the last byte";
            wrong(format!("text {index}"), expected, format!("{start}..{end}"))
        })?;
        let string = std::str::from_utf8(slice)
            .map_err(|error| wrong(format!("text {index}"), "UTF-8", error.to_string()))?;
        strings.push(string.to_owned());
        start = end;
    }
    if start != text.len() as u64 {
        return Err(wrong("last offset".to_owned(), &text.len().to_string(), start.to_string()));
    }
    Ok(strings)
}
