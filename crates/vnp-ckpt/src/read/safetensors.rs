//! The reader of safetensors files: our exports, and the weights of others.

use std::io::{Read, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::container::{Container, Input, Integrity, Origin};
use crate::header::{Encoding, Header, IDS, layout};
use crate::tensor::block::Block;
use crate::tensor::touch::fill_ahead;
use crate::value::codec::{DecodeFault, decode_json};
use crate::write::safetensors::METADATA;
use crate::{Error, Limits, Tensor, Value, limits};

mod description;
mod table;

use description::Description;
use table::{Place, Table};

/// A safetensors file whose header was read.
pub(crate) struct SafetensorsFile<R> {
    reader: R,
    path: PathBuf,
    file_bytes: u64,
    header: Header,
    /// The tensors with the ids, where there are some.
    ids: Option<Ids>,
}

/// Where the ids are.
struct Ids {
    text: Place,
    offsets: Place,
}

impl<R: Input> SafetensorsFile<R> {
    pub(crate) fn open(mut reader: R, origin: Origin<'_>) -> Result<Self, Error> {
        let Origin { path, length_bytes, limits, .. } = origin;
        limits::check("total_bytes", limits.total_bytes, length_bytes)
            .map_err(|error| error.in_file(path))?;
        let bytes = header_bytes(&mut reader, origin)?;
        let start = bytes.len() as u64 + 8;
        let json = decode_json(&bytes, limits).map_err(|fault| of_fault(fault, "(all)", path))?;
        let Value::Map(mut map) = json else {
            return Err(bad_header(path, "(all)", "an object", json.noun()));
        };
        // The version decides whether the rest means anything.
        let described = description::of(map.remove(METADATA), origin)?;
        let table = Table::read(map, start, origin)?;
        let (header, ids) = match described {
            Description::Ours(version, fields) => {
                description::ours(version, fields, table, origin)?
            }
            Description::Foreign(metadata) => {
                (description::foreign(metadata, table, origin)?, None)
            }
        };
        layout::check_contents(&header, limits).map_err(|error| error.in_file(path))?;
        let path = path.to_owned();
        Ok(Self { reader, path, file_bytes: length_bytes, header, ids })
    }

    /// Reads `length` bytes from `offset` on; both were compared with the file's length.
    fn read(&mut self, name: &str, offset: u64, length: u64) -> Result<Block, Error> {
        let path = &self.path;
        let memory =
            |_| Error::OutOfMemory { path: path.clone(), section: name.to_owned(), bytes: length };
        let io = |source: std::io::Error| match source.kind() {
            // The length was right when the file was opened: it shrank since.
            std::io::ErrorKind::UnexpectedEof => Error::Truncated {
                path: path.clone(),
                expected_bytes: self.file_bytes,
                found_bytes: offset,
            },
            _ => Error::Io { path: path.clone(), source },
        };
        let mut block =
            Block::zeroed(usize::try_from(length).unwrap_or(usize::MAX)).map_err(memory)?;
        self.reader.seek(SeekFrom::Start(offset)).map_err(io)?;
        let reader = &mut self.reader;
        fill_ahead(block.bytes_mut(), |piece| reader.read_exact(piece).map_err(io))?;
        Ok(block)
    }

    fn wrong(&self, subject: String, expected: &str, found: String) -> Error {
        let expected = expected.to_owned();
        Error::Inconsistent { path: Some(self.path.clone()), subject, expected, found }
    }
}

impl<R: Input> Container for SafetensorsFile<R> {
    fn header(&self) -> &Header {
        &self.header
    }

    fn integrity(&self) -> Integrity {
        Integrity::Unverified
    }

    fn ids(&mut self) -> Result<Vec<String>, Error> {
        let Some(Ids { text, offsets }) = &self.ids else { return Ok(Vec::new()) };
        let (text, offsets) = ((text.offset, text.length), (offsets.offset, offsets.length));
        let table = self.read(IDS, offsets.0, offsets.1)?;
        let text = self.read(IDS, text.0, text.1)?;
        let mut offsets = table
            .bytes()
            .chunks_exact(8)
            .map(|offset| offset.try_into().map(u64::from_le_bytes).unwrap_or(u64::MAX));
        let mut start = offsets.next().unwrap_or(u64::MAX);
        if start != 0 {
            return Err(self.wrong("first of the id offsets".to_owned(), "0", start.to_string()));
        }
        let mut ids = Vec::new();
        if ids.try_reserve_exact(offsets.len()).is_err() {
            let (path, section) = (self.path.clone(), IDS.to_owned());
            return Err(Error::OutOfMemory { path, section, bytes: text.bytes().len() as u64 });
        }
        for (index, end) in offsets.enumerate() {
            let slice = usize::try_from(start).ok().zip(usize::try_from(end).ok());
            let slice = slice.and_then(|(start, end)| text.bytes().get(start..end));
            let slice = slice.ok_or_else(|| {
                let expected = "an end not before the start nor after the last byte";
                self.wrong(format!("id {index}"), expected, format!("{start}..{end}"))
            })?;
            let id = std::str::from_utf8(slice)
                .map_err(|error| self.wrong(format!("id {index}"), "UTF-8", error.to_string()))?;
            ids.push(id.to_owned());
            start = end;
        }
        let expected = text.bytes().len();
        if start != expected as u64 {
            let subject = "last of the id offsets".to_owned();
            return Err(self.wrong(subject, &expected.to_string(), start.to_string()));
        }
        Ok(ids)
    }

    fn tensor(&mut self, place: usize) -> Result<Tensor, Error> {
        let Some(section) = self.header.sections.get(place) else {
            return Err(self.wrong(format!("section {place}"), "a tensor", "none".to_owned()));
        };
        let Encoding::Tensor { dtype, shape, .. } = section.encoding.clone() else {
            return Err(self.wrong(format!("section {place}"), "a tensor", "the ids".to_owned()));
        };
        let (name, offset, length) = (section.name.clone(), section.offset, section.length);
        let block = Arc::new(self.read(&name, offset, length)?);
        let range = 0..block.bytes().len();
        Tensor::from_block(dtype, shape, block, range).map_err(|error| error.in_file(&self.path))
    }

    /// There is nothing to compare with: the format has no checksums.
    fn verify(&mut self) -> Result<(), Error> {
        Ok(())
    }
}

/// Reads the header; its length is compared with the limits and the file first.
fn header_bytes(reader: &mut impl Read, origin: Origin<'_>) -> Result<Vec<u8>, Error> {
    let Origin { path, length_bytes, limits, .. } = origin;
    let truncated = |expected_bytes| Error::Truncated {
        path: path.to_owned(),
        expected_bytes,
        found_bytes: length_bytes,
    };
    let io = |source: std::io::Error| match source.kind() {
        std::io::ErrorKind::UnexpectedEof => truncated(length_bytes),
        _ => Error::Io { path: path.to_owned(), source },
    };
    let mut length = [0; 8];
    reader.read_exact(&mut length).map_err(io)?;
    let length = u64::from_le_bytes(length);
    limits::check("header_bytes", limits.header_bytes, length)
        .map_err(|error| error.in_file(path))?;
    let end = length.saturating_add(8);
    if end > length_bytes {
        return Err(truncated(end));
    }
    let mut bytes = vec![0; usize::try_from(length).unwrap_or_default()];
    reader.read_exact(&mut bytes).map_err(io)?;
    Ok(bytes)
}

fn of_fault(fault: DecodeFault, field: &str, path: &Path) -> Error {
    match fault {
        DecodeFault::Limit(error) => error.in_file(path),
        DecodeFault::Malformed(found) => bad_header(path, field, "one value in JSON", &found),
    }
}

fn bad_header(path: &Path, field: &str, expected: &str, found: &str) -> Error {
    Error::BadHeader {
        path: path.to_owned(),
        field: field.to_owned(),
        expected: expected.to_owned(),
        found: found.to_owned(),
    }
}

/// The limit of the bytes of ids, for both ways to say them.
fn check_id_bytes(bytes: u64, path: &Path, limits: &Limits) -> Result<(), Error> {
    limits::check("id_bytes", limits.id_bytes, bytes).map_err(|error| error.in_file(path))
}
