//! The reader of native files, version 1.

use std::io::Read;
use std::path::Path;

use super::payload::Source;
use crate::digest::Digest;
use crate::header::layout::{self, OFFSET_BYTES};
use crate::header::preamble::{PREAMBLE_BYTES, Preamble};
use crate::header::{Encoding, Header, Section};
use crate::tensor::element_count;
use crate::{Checkpoint, Error, Limits, Tensor};

/// Reads everything before the first payload of a file of `actual_bytes`.
pub(crate) fn open<'a, R: Read>(
    mut reader: R,
    path: &'a Path,
    actual_bytes: u64,
    limits: &Limits,
) -> Result<(Header, Source<'a, R>), Error> {
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

/// Reads the payloads into a checkpoint.
pub(crate) fn load<R: Read>(
    header: Header,
    source: &mut Source<'_, R>,
) -> Result<Checkpoint, Error> {
    let mut ids = Vec::new();
    let mut tensors = Vec::with_capacity(header.sections.len());
    for section in &header.sections {
        match &section.encoding {
            Encoding::Strings { count } => ids = strings(source, section, *count)?,
            Encoding::Tensor { dtype, shape, .. } => {
                let count = element_count(shape).and_then(|count| usize::try_from(count).ok());
                let count = count.ok_or_else(|| source.out_of_memory(section, section.length))?;
                let data = source.buffer(section, *dtype, count)?;
                tensors.push(Tensor::new(shape.clone(), data)?);
            }
        }
        source.padding()?;
    }
    Ok(Checkpoint::from_parts(header, ids, tensors))
}

/// Reads the payloads and compares their digests.
pub(crate) fn verify<R: Read>(header: &Header, source: &mut Source<'_, R>) -> Result<(), Error> {
    for section in &header.sections {
        source.skip(section)?;
        source.padding()?;
    }
    Ok(())
}

/// Reads a section of texts: where each starts, where the last ends, then all of them.
fn strings<R: Read>(
    source: &mut Source<'_, R>,
    section: &Section,
    count: u64,
) -> Result<Vec<String>, Error> {
    let memory = |source: &Source<'_, R>| source.out_of_memory(section, section.length);
    let length = usize::try_from(section.length).map_err(|_| memory(source))?;
    let bytes: Vec<u8> = source.elements(section, length)?;
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
