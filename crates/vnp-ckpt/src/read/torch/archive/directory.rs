//! The directory of an archive: the position of each record, and no record twice.

use std::collections::HashMap;

use crate::error::kind::ErrorKind;
use crate::read::container::Input;
use crate::read::torch::archive::end::End;
use crate::read::torch::archive::le::{u16_at, u32_at, u64_at};
use crate::read::torch::shown::shown;
use crate::read::window::Window;
use crate::tensor::block::Block;

/// The record with the pickle, below the archive's folder.
pub(crate) const PICKLE: &str = "data.pkl";

const ENTRY_BYTES: usize = 46;
const HEADER_BYTES: usize = 30;

/// Sizes follow the data; names are in UTF-8. PyTorch sets both.
const KNOWN_FLAGS: u16 = 1 << 3 | 1 << 11;

/// A record, as the directory has it.
#[derive(Debug)]
pub(crate) struct Record {
    /// Where its header starts.
    header: u64,
    /// Where the next header starts, or the directory.
    limit: u64,
    /// Length of the data, in bytes.
    pub(crate) length: u64,
    pub(crate) crc: u32,
    flags: u16,
}

impl Record {
    /// Reads the header before the data; where the data starts.
    pub(crate) fn data<R: Input>(
        &self,
        window: &mut Window<R>,
        folder: &[u8],
        name: &[u8],
    ) -> Result<u64, ErrorKind> {
        let bad = |expected: &str, found: String| {
            Err(ErrorKind::bad_archive(shown(name), expected, found))
        };
        let mut header = [0; HEADER_BYTES];
        window.read_at(self.header, &mut header)?;
        if !header.starts_with(b"PK\x03\x04") {
            return bad("a header", format!("other bytes at byte {}", self.header));
        }
        if u16_at(&header, 6) != self.flags || u16_at(&header, 8) != 0 {
            return bad("the flags and method of the directory", "others".to_owned());
        }
        // Written before the data: zero, unless the writer knew.
        let sizes = [u32_at(&header, 18), u32_at(&header, 22)];
        let sizes_fit = sizes
            .iter()
            .all(|&size| size == 0 || size == u32::MAX || u64::from(size) == self.length);
        if !sizes_fit || ![0, self.crc].contains(&u32_at(&header, 14)) {
            return bad("the sizes and the CRC of the directory", "others".to_owned());
        }
        let full_bytes = folder.len() + 1 + name.len();
        if usize::from(u16_at(&header, 26)) != full_bytes {
            return bad("this name", "one of another length".to_owned());
        }
        let mut found = vec![0; full_bytes];
        window.read_at(self.header + HEADER_BYTES as u64, &mut found)?;
        let same = found.starts_with(folder)
            && found.ends_with(name)
            && found.get(folder.len()) == Some(&b'/');
        if !same {
            return bad("this name", format!("`{}`", shown(&found)));
        }
        let extra = u64::from(u16_at(&header, 28));
        let start = self.header + (HEADER_BYTES + full_bytes) as u64 + extra;
        if start.checked_add(self.length).is_none_or(|end| end > self.limit) {
            let expected = format!("to end before byte {}", self.limit);
            return bad(&expected, format!("{} bytes at byte {start}", self.length));
        }
        Ok(start)
    }
}

/// Reads the directory.
pub(crate) fn bytes<R: Input>(window: &mut Window<R>, end: &End) -> Result<Block, ErrorKind> {
    let length = end.directory.end - end.directory.start;
    if end.records.checked_mul(ENTRY_BYTES as u64).is_none_or(|least| least > length) {
        let expected = format!("room for {} entries", end.records);
        return Err(ErrorKind::bad_archive("directory", expected, format!("{length} bytes")));
    }
    let mut block = Block::for_section("directory", length)?;
    window.read_at(end.directory.start, block.bytes_mut())?;
    Ok(block)
}

/// A record and its full name.
type Named<'d> = (Record, &'d [u8]);

/// The records in the order of their places, each with its full name.
pub(crate) fn records<'d>(
    mut bytes: &'d [u8],
    end: &End,
) -> Result<(Vec<Record>, Vec<&'d [u8]>), ErrorKind> {
    let memory = || ErrorKind::out_of_memory("directory", bytes.len() as u64);
    let count = usize::try_from(end.records).map_err(|_| memory())?;
    let mut entries: Vec<Named<'_>> = Vec::new();
    entries.try_reserve_exact(count).map_err(|_| memory())?;
    for _ in 0..count {
        let (entry, rest) = entry(bytes)?;
        entries.push(entry);
        bytes = rest;
    }
    if !bytes.is_empty() {
        let expected = format!("{count} entries and nothing else");
        return Err(ErrorKind::bad_archive(
            "directory",
            expected,
            format!("{} bytes more", bytes.len()),
        ));
    }
    entries.sort_by_key(|(record, _)| record.header);
    if let Some((first, name)) = entries.first()
        && first.header != 0
    {
        let found = format!("byte {}", first.header);
        return Err(ErrorKind::bad_archive(shown(name), "the first record at byte 0", found));
    }
    // From the last to the first, so that each knows what follows it.
    let (mut limit, mut next) = (end.directory.start, b"the directory".as_slice());
    for (record, name) in entries.iter_mut().rev() {
        record.limit = limit;
        let least = (HEADER_BYTES + name.len()) as u64;
        let end =
            record.header.checked_add(least).and_then(|start| start.checked_add(record.length));
        if end.is_none_or(|end| end > limit) {
            let expected = format!("to end before `{}` at byte {limit}", shown(next));
            let found = format!("{} bytes at byte {}", record.length, record.header);
            return Err(ErrorKind::bad_archive(shown(name), expected, found));
        }
        (limit, next) = (record.header, name);
    }
    Ok(entries.into_iter().unzip())
}

/// One entry, and the bytes after it.
fn entry<'d>(bytes: &'d [u8]) -> Result<(Named<'d>, &'d [u8]), ErrorKind> {
    let split =
        bytes.split_at_checked(ENTRY_BYTES).filter(|(entry, _)| entry.starts_with(b"PK\x01\x02"));
    let Some((entry, rest)) = split else {
        return Err(ErrorKind::bad_archive("directory", "an entry", "other bytes"));
    };
    let [flags, method, name_bytes, extra_bytes, comment_bytes, disk] =
        [8, 10, 28, 30, 32, 34].map(|at| u16_at(entry, at));
    let cut = rest.split_at_checked(usize::from(name_bytes));
    let cut =
        cut.and_then(|(name, rest)| Some((name, rest.split_at_checked(usize::from(extra_bytes))?)));
    let Some((name, (extra, rest))) = cut else {
        return Err(ErrorKind::bad_archive("directory", "an entry with its name", "the end"));
    };
    let bad =
        |expected: &str, found: String| Err(ErrorKind::bad_archive(shown(name), expected, found));
    if method != 0 {
        return bad("to be stored", format!("compression method {method}"));
    }
    if flags & !KNOWN_FLAGS != 0 || disk != 0 || comment_bytes != 0 {
        return bad("no encryption, one disk, no comment", format!("flags {flags:#06x}"));
    }
    let numbers = [24, 20, 42].map(|at| u32_at(entry, at));
    let Some([length, stored, header]) = wide(numbers, extra) else {
        return bad("64-bit sizes where the others are full", "none".to_owned());
    };
    if length != stored {
        return bad("the same length stored", format!("{stored} for {length}"));
    }
    let crc = u32_at(entry, 16);
    Ok(((Record { header, limit: 0, length, crc, flags }, name), rest))
}

/// The sizes of an entry, from its extra field where they do not fit in 32 bits.
fn wide(numbers: [u32; 3], mut extra: &[u8]) -> Option<[u64; 3]> {
    if !numbers.contains(&u32::MAX) {
        return Some(numbers.map(u64::from));
    }
    loop {
        let (head, rest) = extra.split_at_checked(4)?;
        let (field, rest) = rest.split_at_checked(usize::from(u16_at(head, 2)))?;
        if u16_at(head, 0) == 1 {
            let mut wide = field.chunks_exact(8).map(|bytes| u64_at(bytes, 0));
            let [length, stored, header] = numbers.map(|number| match number {
                u32::MAX => wide.next(),
                _ => Some(u64::from(number)),
            });
            return Some([length?, stored?, header?]);
        }
        extra = rest;
    }
}

/// The one folder that everything is in: that of the pickle.
pub(crate) fn folder<'d>(names: &[&'d [u8]]) -> Result<&'d [u8], ErrorKind> {
    let mut folders =
        names.iter().filter_map(|name| name.strip_suffix(PICKLE.as_bytes())?.strip_suffix(b"/"));
    match (folders.next(), folders.next()) {
        (Some(folder), None) => Ok(folder),
        (None, _) => Err(ErrorKind::bad_archive(PICKLE, "one such record", "none")),
        (Some(_), Some(_)) => Err(ErrorKind::bad_archive(PICKLE, "one such record", "more")),
    }
}

/// The place of each record by its name below the folder.
pub(crate) fn indices(
    names: &[&[u8]],
    folder: &[u8],
) -> Result<HashMap<Box<[u8]>, u32>, ErrorKind> {
    let mut indices = HashMap::new();
    indices
        .try_reserve(names.len())
        .map_err(|_| ErrorKind::out_of_memory("directory", names.len() as u64))?;
    for (name, index) in names.iter().zip(0..) {
        let usual = |part: &[u8]| {
            !matches!(part, b"" | b"." | b"..") && !part.iter().any(|byte| b"\\\0".contains(byte))
        };
        let is_text = std::str::from_utf8(name).is_ok();
        if !is_text || !name.split(|&byte| byte == b'/').all(usual) {
            return Err(ErrorKind::bad_archive(shown(name), "a plain path", "another"));
        }
        let Some(below) = name.strip_prefix(folder).and_then(|rest| rest.strip_prefix(b"/")) else {
            let expected = format!("to lie in `{}`", shown(folder));
            return Err(ErrorKind::bad_archive(shown(name), expected, "another folder"));
        };
        if indices.insert(below.into(), index).is_some() {
            return Err(ErrorKind::bad_archive(shown(name), "one record of this name", "more"));
        }
    }
    Ok(indices)
}
