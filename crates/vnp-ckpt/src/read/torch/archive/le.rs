//! Little-endian numbers in the records of an archive.

pub(super) fn u16_at(record: &[u8], offset: usize) -> u16 {
    u16::from_le_bytes(bytes_at(record, offset))
}

pub(super) fn u32_at(record: &[u8], offset: usize) -> u32 {
    u32::from_le_bytes(bytes_at(record, offset))
}

pub(super) fn u64_at(record: &[u8], offset: usize) -> u64 {
    u64::from_le_bytes(bytes_at(record, offset))
}

/// Every caller has a record of fixed length, and knows it to hold the number.
fn bytes_at<const N: usize>(record: &[u8], offset: usize) -> [u8; N] {
    let found = record.get(offset..).and_then(|rest| rest.first_chunk());
    debug_assert!(found.is_some(), "{N} bytes at {offset} of a record of {}", record.len());
    found.copied().unwrap_or([0; N])
}
