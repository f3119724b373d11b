//! The reader of safetensors files: our exports, and the weights of other programs.

use super::container::{Container, Input, Integrity, Origin};
use super::texts::Texts;
use super::window::Window;
use crate::budget::Budget;
use crate::error::kind::ErrorKind;
use crate::header::{Encoding, Header, IDS, layout};
use crate::limits;
use crate::tensor::Tensor;
use crate::tensor::block::Block;
use crate::value::Value;
use crate::value::codec::decode_json;
use crate::write::safetensors::METADATA;

mod description;
mod table;

use description::{Ids, JSON, Metadata};
use table::Table;

/// Length of the number before the header.
const LENGTH_BYTES: u64 = 8;

/// A safetensors file whose header was read.
pub(crate) struct SafetensorsFile<R> {
    window: Window<R>,
    header: Header,
    /// The tensors with the ids; `None` without rows.
    ids: Option<Ids>,
}

impl<R: Input> SafetensorsFile<R> {
    pub(crate) fn open(reader: R, origin: Origin<'_>) -> Result<Self, ErrorKind> {
        let Origin { length_bytes, limits, .. } = origin;
        limits::check("total_bytes", limits.total_bytes, length_bytes)?;
        let mut window = Window::new(reader, length_bytes);
        let bytes = header_bytes(&mut window, origin)?;
        let start = bytes.len() as u64 + LENGTH_BYTES;
        let budget = Budget::new(limits, length_bytes);
        let json =
            decode_json(&bytes, limits, &budget).map_err(|fault| fault.in_field("(all)", JSON))?;
        drop(bytes);
        let Value::Map(mut map) = json else {
            return Err(ErrorKind::bad_header("(all)", "an object", json.noun()));
        };
        // The version decides whether the rest means anything.
        let described = description::of(map.remove(METADATA), limits, &budget)?;
        let table = Table::read(map, start, origin)?;
        let (header, ids) = match described {
            Metadata::Ours(version, fields) => description::ours(version, fields, table, limits)?,
            Metadata::Foreign(metadata) => (description::foreign(metadata, table, origin)?, None),
        };
        layout::check_contents(&header, limits)?;
        Ok(Self { window, header, ids })
    }

    /// Reads `length` bytes from `offset` on; both were compared with the file's length.
    fn read(&mut self, name: &str, offset: u64, length: u64) -> Result<Block, ErrorKind> {
        let mut block = Block::for_section(name, length)?;
        self.window.read_steps(offset, block.bytes_mut(), |_| {})?;
        Ok(block)
    }
}

impl<R: Input> Container for SafetensorsFile<R> {
    fn header(&self) -> &Header {
        &self.header
    }

    fn into_header(self: Box<Self>) -> Header {
        self.header
    }

    fn integrity(&self) -> Integrity {
        Integrity::Unverified
    }

    fn ids(&mut self) -> Result<Vec<String>, ErrorKind> {
        let Some(Ids { text, offsets }) = &self.ids else { return Ok(Vec::new()) };
        let (text, offsets) = ((text.offset, text.length), (offsets.offset, offsets.length));
        let table = self.read(IDS, offsets.0, offsets.1)?;
        let text = self.read(IDS, text.0, text.1)?;
        Texts::new(table.bytes(), text.bytes(), IDS)?.to_strings()
    }

    fn tensor(&mut self, index: usize) -> Result<Tensor, ErrorKind> {
        let section = self.header.sections.get(index).cloned();
        let Some((section, Encoding::Tensor { dtype, shape, .. })) =
            section.map(|section| (section.clone(), section.encoding))
        else {
            return Err(ErrorKind::inconsistent(format!("section {index}"), "a tensor", "none"));
        };
        let block = self.read(&section.name, section.offset, section.length)?;
        Tensor::from_block(dtype, shape, block)
    }

    /// There is nothing to compare with: the format has no checksums.
    fn verify(&mut self) -> Result<(), ErrorKind> {
        Ok(())
    }
}

/// Reads the header; its length is compared with the limits and the file first.
fn header_bytes<R: Input>(
    window: &mut Window<R>,
    origin: Origin<'_>,
) -> Result<Vec<u8>, ErrorKind> {
    let Origin { length_bytes, limits, .. } = origin;
    let mut length = [0; LENGTH_BYTES as usize];
    window.read_at(0, &mut length)?;
    let length = u64::from_le_bytes(length);
    limits::check("header_bytes", limits.header_bytes, length)?;
    let end = length.saturating_add(LENGTH_BYTES);
    if end > length_bytes {
        return Err(ErrorKind::Truncated { expected_bytes: end, found_bytes: length_bytes });
    }
    let mut bytes = vec![0; usize::try_from(length).unwrap_or_default()];
    window.read_at(LENGTH_BYTES, &mut bytes)?;
    Ok(bytes)
}
