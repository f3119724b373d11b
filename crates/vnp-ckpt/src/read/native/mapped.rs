//! A native file whose tensors stay in its own mapped pages.

use std::ops::Range;
use std::sync::Arc;

use crate::checkpoint::Checkpoint;
use crate::digest::Digest;
use crate::error::kind::ErrorKind;
use crate::header::preamble::align;
use crate::header::{Encoding, Header, Section};
use crate::read::payload::{check_zeros, compare};
use crate::read::texts::Texts;
use crate::tensor::Tensor;
use crate::tensor::block::Block;

/// Verifies every payload of a mapped file whose header was read; the tensors point into the file.
pub(super) fn load(header: Header, pages: &Arc<Block>) -> Result<Checkpoint, ErrorKind> {
    let mut ids = Vec::new();
    let mut tensors = Vec::with_capacity(header.sections.len().saturating_sub(1));
    for section in &header.sections {
        let (range, payload) = payload(section, pages.bytes())?;
        match &section.encoding {
            Encoding::Strings { count } => {
                ids = Texts::of_section(payload, section, *count)?.to_strings()?;
            }
            Encoding::Tensor { dtype, shape, .. } => {
                tensors.push(Tensor::in_block(*dtype, shape.clone(), Arc::clone(pages), range)?);
            }
        }
    }
    Ok(Checkpoint::from_parts(header, ids, tensors))
}

/// The bytes of a section, equal to its digest, with nothing but zeros after them.
fn payload<'b>(section: &Section, bytes: &'b [u8]) -> Result<(Range<usize>, &'b [u8]), ErrorKind> {
    // The header was compared with the length of the file, which may have shrunk since.
    let end = section.offset.checked_add(section.length);
    let padded = end.and_then(align).and_then(|end| usize::try_from(end).ok());
    let start = usize::try_from(section.offset).ok().zip(usize::try_from(section.length).ok());
    let rest = start.zip(padded).and_then(|((start, length), padded)| {
        let (payload, padding) = bytes.get(start..padded)?.split_at_checked(length)?;
        Some((start..start + length, payload, padding))
    });
    let Some((range, payload, padding)) = rest else {
        let (expected_bytes, found_bytes) = (end.unwrap_or(u64::MAX), bytes.len() as u64);
        return Err(ErrorKind::Truncated { expected_bytes, found_bytes });
    };
    compare(section, Digest::of(payload))?;
    check_zeros(padding, range.end as u64)?;
    Ok((range, payload))
}
