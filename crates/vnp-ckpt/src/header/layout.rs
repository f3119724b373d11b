//! The offsets of the sections: computed from their contents when writing, and compared with the
//! header when reading, so that there is one possible offset for each of them.

use std::collections::BTreeSet;

use super::preamble::align;
use super::{Encoding, Header, IDS, Section};
use crate::error::kind::ErrorKind;
use crate::limits::{self, Limits};
use crate::tensor::element_count;

/// Bytes of one offset in a `strings` section.
pub(crate) const OFFSET_BYTES: u64 = 8;

/// Checks names, shapes and counts against each other and the row range.
pub(crate) fn check_contents(header: &Header, limits: &Limits) -> Result<(), ErrorKind> {
    limits::check("sections", limits.sections, header.sections.len() as u64)?;
    let mut names = BTreeSet::new();
    for (index, section) in header.sections.iter().enumerate() {
        if section.name.is_empty() {
            return Err(ErrorKind::inconsistent(
                format!("name of section {index}"),
                "a text",
                "nothing",
            ));
        }
        if !names.insert(&section.name) {
            return Err(ErrorKind::inconsistent(
                format!("sections named `{}`", section.name),
                "1",
                "more than 1",
            ));
        }
        check_section(header, index, section, limits)?;
    }
    if header.sections.is_empty() {
        return Err(ErrorKind::inconsistent("sections", "the ids", "none"));
    }
    Ok(())
}

/// Checks that the sections follow each other, aligned, from `start` to the end of the file.
pub(crate) fn check_offsets(header: &Header, start: u64, file_bytes: u64) -> Result<(), ErrorKind> {
    let mut expected = align(start);
    for section in &header.sections {
        let (what, name) = (|what| format!("{what} of section `{}`", section.name), &section.name);
        if Some(section.offset) != expected {
            let expected = expected.map_or("none".to_owned(), |offset| offset.to_string());
            return Err(ErrorKind::inconsistent(
                what("offset"),
                expected,
                section.offset.to_string(),
            ));
        }
        let least = length_of(&section.encoding);
        let fits = match section.encoding {
            Encoding::Strings { .. } => least.is_some_and(|least| least <= section.length),
            Encoding::Tensor { .. } => least == Some(section.length),
        };
        if !fits {
            let least = least.map_or("fewer than 2^64".to_owned(), |length| length.to_string());
            return Err(ErrorKind::inconsistent(what("length"), least, section.length.to_string()));
        }
        let end = section.offset.checked_add(section.length);
        expected = end.and_then(align);
        if expected.is_none_or(|end| end > file_bytes) {
            let end = end.map_or("above 2^64".to_owned(), |end| end.to_string());
            let room = format!("at most {file_bytes}");
            return Err(ErrorKind::inconsistent(format!("end of section `{name}`"), room, end));
        }
    }
    if expected != Some(file_bytes) {
        let end = expected.map_or("above 2^64".to_owned(), |end| end.to_string());
        return Err(ErrorKind::inconsistent(
            "end of the last section",
            file_bytes.to_string(),
            end,
        ));
    }
    Ok(())
}

/// Checks a header against the file it was read from.
pub(crate) fn check_read(
    header: &Header,
    header_end: u64,
    file_bytes: u64,
    limits: &Limits,
) -> Result<(), ErrorKind> {
    check_contents(header, limits)
        .and_then(|()| check_offsets(header, header_end, file_bytes))
        .and_then(|()| check_id_bytes(header, limits))
}

/// The length of a tensor's section, or the least of a section of texts.
pub(crate) fn length_of(encoding: &Encoding) -> Option<u64> {
    match encoding {
        Encoding::Strings { count } => count.checked_add(1)?.checked_mul(OFFSET_BYTES),
        Encoding::Tensor { dtype, shape, .. } => {
            element_count(shape)?.checked_mul(dtype.size_bytes() as u64)
        }
    }
}

fn check_id_bytes(header: &Header, limits: &Limits) -> Result<(), ErrorKind> {
    header.sections.iter().try_for_each(|section| match section.encoding {
        Encoding::Strings { .. } => limits::check("id_bytes", limits.id_bytes, section.length),
        Encoding::Tensor { .. } => Ok(()),
    })
}

fn check_section(
    header: &Header,
    index: usize,
    section: &Section,
    limits: &Limits,
) -> Result<(), ErrorKind> {
    let rows = header.rows.len();
    match &section.encoding {
        Encoding::Strings { count } => {
            if index != 0 || section.name != IDS {
                let found = format!("`{}` at index {index}", section.name);
                return Err(ErrorKind::inconsistent("section of texts", "`ids` at index 0", found));
            }
            limits::check("ids", limits.ids, *count)?;
            if *count != rows {
                return Err(ErrorKind::inconsistent(
                    "ids",
                    format!("{rows}, one per row"),
                    count.to_string(),
                ));
            }
        }
        Encoding::Tensor { shape, per_row, .. } => {
            if index == 0 {
                let found = format!("tensor `{}`", section.name);
                return Err(ErrorKind::inconsistent("first section", "the ids", found));
            }
            limits::check("tensor_rank", limits.tensor_rank, shape.len() as u64)?;
            let first = shape.first().map(|&size| size as u64);
            if *per_row && first != Some(rows) {
                let found = first.map_or("no dimension".to_owned(), |first| first.to_string());
                let subject = format!("rows of tensor `{}`", section.name);
                return Err(ErrorKind::inconsistent(subject, rows.to_string(), found));
            }
        }
    }
    Ok(())
}
