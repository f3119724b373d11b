//! A native file in its own pages.

use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use super::texts::Texts;
use crate::digest::Digest;
use crate::header::preamble::align;
use crate::header::{Encoding, Header, Section};
use crate::tensor::block::Block;
use crate::{Checkpoint, Error, Tensor};

/// Verifies every payload of a mapped file whose header was read, and points into it.
pub(super) fn load(header: Header, path: &Path, pages: &Arc<Block>) -> Result<Checkpoint, Error> {
    let mut ids = Vec::new();
    let mut tensors = Vec::with_capacity(header.sections.len().saturating_sub(1));
    for section in &header.sections {
        let (range, payload) = payload(section, path, pages.bytes())?;
        match &section.encoding {
            Encoding::Strings { count } => {
                ids = Texts::check(payload, section, *count, path)?.to_strings()?;
            }
            Encoding::Tensor { dtype, shape, .. } => {
                let tensor = Tensor::from_block(*dtype, shape.clone(), Arc::clone(pages), range);
                tensors.push(tensor.map_err(|error| error.in_file(path))?);
            }
        }
    }
    Ok(Checkpoint::from_parts(header, ids, tensors))
}

/// The bytes of a section, equal to its digest, with nothing but zeros after them.
fn payload<'b>(
    section: &Section,
    path: &Path,
    bytes: &'b [u8],
) -> Result<(Range<usize>, &'b [u8]), Error> {
    // The header was compared with the length of the file, which may have shrunk since.
    let end = section.offset.checked_add(section.length);
    let padded = end.and_then(align).and_then(|end| usize::try_from(end).ok());
    let place = usize::try_from(section.offset).ok().zip(usize::try_from(section.length).ok());
    let rest = place.zip(padded).and_then(|((start, length), padded)| {
        let (payload, padding) = bytes.get(start..padded)?.split_at_checked(length)?;
        Some((start..start + length, payload, padding))
    });
    let Some((range, payload, padding)) = rest else {
        return Err(Error::Truncated {
            path: path.to_owned(),
            expected_bytes: end.unwrap_or(u64::MAX),
            found_bytes: bytes.len() as u64,
        });
    };
    if Digest::of(payload) != section.digest {
        let section = section.name.clone();
        return Err(Error::DigestMismatch { path: path.to_owned(), section });
    }
    match padding.iter().zip(range.end..).find(|(byte, _)| **byte != 0) {
        None => Ok((range, payload)),
        Some((byte, offset)) => Err(Error::Inconsistent {
            path: Some(path.to_owned()),
            subject: format!("padding at byte {offset}"),
            expected: "0".to_owned(),
            found: byte.to_string(),
        }),
    }
}
