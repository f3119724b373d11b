//! The end of an archive: the end record is the last thing in the file.

use std::ops::Range;

use crate::error::kind::ErrorKind;
use crate::limits::{self, Limits};
use crate::read::container::Input;
use crate::read::torch::archive::le::{u16_at, u32_at, u64_at};
use crate::read::window::Window;

const END_BYTES: u64 = 22;
const LOCATOR_BYTES: u64 = 20;
const END64_BYTES: u64 = 56;

/// The contents of the end records.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct End {
    /// How many records there are.
    pub(crate) records: u64,
    /// The position of the directory; the bytes after it were checked.
    pub(crate) directory: Range<u64>,
}

/// Reads the end record, and the 64-bit one before it where there is one.
pub(crate) fn read<R: Input>(window: &mut Window<R>, limits: &Limits) -> Result<End, ErrorKind> {
    let file_bytes = window.file_bytes();
    let bad =
        |expected: &str, found: String| Err(ErrorKind::bad_archive("end record", expected, found));
    let Some(place) = file_bytes.checked_sub(END_BYTES) else {
        return bad("22 bytes", format!("{file_bytes} bytes in all"));
    };
    let mut end = [0; END_BYTES as usize];
    window.read_at(place, &mut end)?;
    if !end.starts_with(b"PK\x05\x06") {
        return bad("to be the last 22 bytes", "other bytes".to_owned());
    }
    let [disk, directory_disk, here, records] = [4, 6, 8, 10].map(|at| u16_at(&end, at));
    let [length, offset] = [12, 16].map(|at| u32_at(&end, at));
    if (disk, directory_disk, here) != (0, 0, records) || u16_at(&end, 20) != 0 {
        return bad("one disk, no comment", "others".to_owned());
    }
    let small = [u64::from(records), u64::from(length), u64::from(offset)];
    let (large, directory_end) = match read64(window, place)? {
        Some(large) => large,
        None => (small, place),
    };
    let [records, length, offset] = large;
    limits::check("records", limits.records, records)?;
    let markers = [u64::from(u16::MAX), u64::from(u32::MAX), u64::from(u32::MAX)];
    let agree = small.iter().zip(large).zip(markers);
    if agree.into_iter().any(|((&small, large), marker)| small != large && small != marker) {
        return bad("what the 64-bit end record says", format!("{small:?} against {large:?}"));
    }
    if offset.checked_add(length) != Some(directory_end) {
        return bad(
            &format!("a directory that ends at byte {directory_end}"),
            format!("{length} bytes at byte {offset}"),
        );
    }
    Ok(End { records, directory: offset..directory_end })
}

/// The three numbers of the 64-bit end record, and where it starts.
fn read64<R: Input>(
    window: &mut Window<R>,
    end_place: u64,
) -> Result<Option<([u64; 3], u64)>, ErrorKind> {
    let Some(place) = end_place.checked_sub(LOCATOR_BYTES) else { return Ok(None) };
    let mut locator = [0; LOCATOR_BYTES as usize];
    window.read_at(place, &mut locator)?;
    if !locator.starts_with(b"PK\x06\x07") {
        return Ok(None);
    }
    let bad = |expected: &str, found: String| {
        Err(ErrorKind::bad_archive("64-bit end record", expected, found))
    };
    let offset = u64_at(&locator, 8);
    if u32_at(&locator, 4) != 0 || u32_at(&locator, 16) != 1 {
        return bad("one disk", "others".to_owned());
    }
    if offset.checked_add(END64_BYTES) != Some(place) {
        return bad(&format!("56 bytes up to byte {place}"), format!("byte {offset}"));
    }
    let mut end = [0; END64_BYTES as usize];
    window.read_at(offset, &mut end)?;
    if !end.starts_with(b"PK\x06\x06") || u64_at(&end, 4) != END64_BYTES - 12 {
        return bad("one of 56 bytes", "other bytes".to_owned());
    }
    let [here, records, length, directory] = [24, 32, 40, 48].map(|at| u64_at(&end, at));
    if (u32_at(&end, 16), u32_at(&end, 20), here) != (0, 0, records) {
        return bad("one disk", "others".to_owned());
    }
    Ok(Some(([records, length, directory], offset)))
}
