//! The archive of a PyTorch file: a ZIP of stored records, every one aligned.
//!
//! As PyTorch writes it, an extra field "FB" of each record's header fills up to the next multiple
//! of 64, and the ZIP64 end records are always there. Unlike PyTorch, lengths and checksums also
//! stand before each record, no descriptor follows it, and the date is fixed: the records are known
//! before the first byte is written, so that the same contents give the same bytes.

use std::io::{self, Write};

use crate::header::preamble::ALIGNMENT;

/// 1 January 1980, the first day that DOS knew; the time is midnight.
const DATE: u16 = (1 << 5) | 1;

/// Versions of the ZIP format that a reader must know, without and with ZIP64.
const VERSION: u16 = 20;
const VERSION_ZIP64: u16 = 45;

/// A number that does not fit where this stands is in the ZIP64 extra field.
const SATURATED: u32 = u32::MAX;

/// Length of a local header, without name and extra fields.
const LOCAL_BYTES: u64 = 30;

/// Length of the ZIP64 extra field of a local header.
const ZIP64_BYTES: u64 = 20;

/// One file of the archive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Record {
    /// Its whole name, `a/data/0`.
    pub(crate) name: String,
    /// Length of its contents, in bytes.
    pub(crate) length: u64,
    /// The CRC-32 of its contents.
    pub(crate) crc: u32,
}

/// Where everything goes.
#[derive(Clone, Debug)]
pub(crate) struct Layout {
    records: Vec<Record>,
    /// The start of each record's header.
    offsets: Vec<u64>,
    directory: u64,
}

impl Layout {
    /// `None` when the file would be longer than any.
    pub(crate) fn new(records: Vec<Record>) -> Option<Self> {
        let mut offset = 0_u64;
        let mut offsets = Vec::with_capacity(records.len());
        for record in &records {
            offsets.push(offset);
            offset = payload_offset(record, offset)?.checked_add(record.length)?;
        }
        Some(Self { records, offsets, directory: offset })
    }

    /// Length of the file; `None` when it is longer than any.
    pub(crate) fn file_bytes(&self) -> Option<u64> {
        let mut end = Vec::new();
        self.write_end(&mut end).ok()?;
        self.directory.checked_add(end.len() as u64)
    }

    /// The records, each with the place of its header.
    pub(crate) fn records(&self) -> impl Iterator<Item = (&Record, u64)> {
        self.records.iter().zip(self.offsets.iter().copied())
    }

    /// Writes everything after the last record.
    pub(crate) fn write_end(&self, out: &mut impl Write) -> io::Result<()> {
        let mut directory = Vec::new();
        for (record, offset) in self.records() {
            write_central(&mut directory, record, offset)?;
        }
        let (count, length) = (self.records.len() as u64, directory.len() as u64);
        let end = self.directory + length;
        out.write_all(&directory)?;
        // The ZIP64 end record, and where it is.
        out.write_all(b"PK\x06\x06")?;
        out.write_all(&44_u64.to_le_bytes())?;
        let versions = [VERSION_ZIP64.to_le_bytes(), VERSION_ZIP64.to_le_bytes()];
        out.write_all(versions.as_flattened())?;
        out.write_all(&[0; 8])?;
        for number in [count, count, length, self.directory] {
            out.write_all(&number.to_le_bytes())?;
        }
        out.write_all(b"PK\x06\x07\0\0\0\0")?;
        out.write_all(&end.to_le_bytes())?;
        out.write_all(&1_u32.to_le_bytes())?;
        // The end record.
        out.write_all(b"PK\x05\x06\0\0\0\0")?;
        let count = u16::try_from(count).unwrap_or(u16::MAX).to_le_bytes();
        out.write_all(&[count, count].concat())?;
        out.write_all(&saturated(length).to_le_bytes())?;
        out.write_all(&saturated(self.directory).to_le_bytes())?;
        out.write_all(&[0; 2])
    }
}

/// Writes the header of a record, which starts at `offset`.
pub(crate) fn write_local(out: &mut impl Write, record: &Record, offset: u64) -> io::Result<()> {
    let too_long = || io::Error::other("the archive is too long");
    let start = payload_offset(record, offset).ok_or_else(too_long)?;
    let extra_bytes = start - offset - LOCAL_BYTES - record.name.len() as u64;
    let mut extra = Vec::new();
    if needs_zip64(record) {
        extra.extend_from_slice(&[1, 0, 16, 0]);
        extra.extend_from_slice(&record.length.to_le_bytes());
        extra.extend_from_slice(&record.length.to_le_bytes());
    }
    let padding = extra_bytes as usize - extra.len() - 4;
    extra.extend_from_slice(b"FB");
    extra.extend_from_slice(&(padding as u16).to_le_bytes());
    extra.resize(extra_bytes as usize, b'Z');
    let version = if needs_zip64(record) { VERSION_ZIP64 } else { VERSION };
    out.write_all(b"PK\x03\x04")?;
    out.write_all(&version.to_le_bytes())?;
    write_common(out, record)?;
    out.write_all(&(extra.len() as u16).to_le_bytes())?;
    out.write_all(record.name.as_bytes())?;
    out.write_all(&extra)
}

fn write_central(out: &mut impl Write, record: &Record, offset: u64) -> io::Result<()> {
    let mut extra = Vec::new();
    if needs_zip64(record) {
        extra.extend_from_slice(&record.length.to_le_bytes());
        extra.extend_from_slice(&record.length.to_le_bytes());
    }
    if saturated(offset) == SATURATED {
        extra.extend_from_slice(&offset.to_le_bytes());
    }
    if !extra.is_empty() {
        extra.splice(..0, [1, 0, extra.len() as u8, 0]);
    }
    let version = if extra.is_empty() { VERSION } else { VERSION_ZIP64 };
    out.write_all(b"PK\x01\x02")?;
    out.write_all(&[version.to_le_bytes(), version.to_le_bytes()].concat())?;
    write_common(out, record)?;
    out.write_all(&(extra.len() as u16).to_le_bytes())?;
    // No comment, the first disk, no attributes.
    out.write_all(&[0; 10])?;
    out.write_all(&saturated(offset).to_le_bytes())?;
    out.write_all(record.name.as_bytes())?;
    out.write_all(&extra)
}

/// Writes the fields that both headers of a record share: flags to the length of the name.
fn write_common(out: &mut impl Write, record: &Record) -> io::Result<()> {
    // No flags, stored, midnight.
    out.write_all(&[0; 6])?;
    out.write_all(&DATE.to_le_bytes())?;
    out.write_all(&record.crc.to_le_bytes())?;
    let length =
        if needs_zip64(record) { SATURATED } else { saturated(record.length) }.to_le_bytes();
    out.write_all(&[length, length].concat())?;
    let name = u16::try_from(record.name.len()).map_err(io::Error::other)?;
    out.write_all(&name.to_le_bytes())
}

/// Where the contents of a record start whose header starts at `offset`.
fn payload_offset(record: &Record, offset: u64) -> Option<u64> {
    let zip64 = if needs_zip64(record) { ZIP64_BYTES } else { 0 };
    let header = LOCAL_BYTES + record.name.len() as u64 + zip64 + 4;
    offset.checked_add(header)?.checked_next_multiple_of(ALIGNMENT)
}

fn needs_zip64(record: &Record) -> bool {
    saturated(record.length) == SATURATED
}

fn saturated(number: u64) -> u32 {
    u32::try_from(number).unwrap_or(SATURATED)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(name: &str, length: u64) -> Record {
        Record { name: name.to_owned(), length, crc: 0x1234_5678 }
    }

    fn local(record: &Record, offset: u64) -> Vec<u8> {
        let mut bytes = Vec::new();
        write_local(&mut bytes, record, offset).unwrap();
        bytes
    }

    #[track_caller]
    fn check_central(record: &Record, offset: u64, expected_extra: &[u8]) {
        let mut bytes = Vec::new();
        write_central(&mut bytes, record, offset).unwrap();
        let (fixed, rest) = bytes.split_at(46);
        assert_eq!(usize::from(fixed[30]), expected_extra.len());
        assert_eq!(rest, [record.name.as_bytes(), expected_extra].concat());
    }

    #[test]
    fn contents_are_aligned_wherever_a_record_starts() {
        for offset in 0..200 {
            let header = local(&record("a/data.pkl", 9), offset);
            assert_eq!((offset + header.len() as u64) % ALIGNMENT, 0, "{offset}");
            assert_eq!(&header[40..42], b"FB");
        }
    }

    #[test]
    fn long_records_say_so_in_zip64() {
        let long = record("a/data/0", 5 << 30);
        let header = local(&long, 6 << 30);
        assert_eq!(header.len() % 64, 0);
        assert_eq!((header[4], &header[18..26]), (45, &[0xff; 8][..]));
        let lengths = [[0, 0, 0, 0x40, 1, 0, 0, 0]; 2].concat();
        assert_eq!(header[38..58], [&[1, 0, 16, 0][..], &lengths].concat());
        assert_eq!(&header[58..60], b"FB");
        let offset = [0, 0, 0, 0x80, 1, 0, 0, 0];
        check_central(&long, 6 << 30, &[&[1, 0, 24, 0][..], &lengths, &offset].concat());
        check_central(&long, 0, &[&[1, 0, 16, 0][..], &lengths].concat());
        check_central(&record("a", 1), 6 << 30, &[&[1, 0, 8, 0][..], &offset].concat());
        check_central(&record("a", 1), 0, &[]);
    }

    #[test]
    fn the_longest_length_of_plain_zip_is_not_the_mark_of_zip64() {
        assert!(!needs_zip64(&record("a", u64::from(u32::MAX) - 1)));
        assert!(needs_zip64(&record("a", u64::from(u32::MAX))));
    }

    #[test]
    fn a_file_longer_than_any_is_none() {
        assert!(Layout::new(vec![record("a", u64::MAX - 10)]).is_none());
        assert!(Layout::new(vec![record("a", 1 << 63), record("b", 1 << 63)]).is_none());
        assert!(Layout::new(vec![record("a", 1 << 62)]).unwrap().file_bytes().is_some());
    }

    #[test]
    fn more_records_than_sixteen_bits_are_counted_in_zip64() {
        let records = (0..70_000).map(|number| record(&number.to_string(), 0)).collect();
        let layout = Layout::new(records).unwrap();
        let mut end = Vec::new();
        layout.write_end(&mut end).unwrap();
        assert_eq!(layout.directory + end.len() as u64, layout.file_bytes().unwrap());
        let last = &end[end.len() - 98..];
        assert_eq!(&last[..4], b"PK\x06\x06");
        assert_eq!(last[24..32], 70_000_u64.to_le_bytes());
        assert_eq!(last[56..60], *b"PK\x06\x07");
        assert_eq!(&last[76..80], b"PK\x05\x06");
        assert_eq!(&last[84..88], [0xff; 4]);
    }
}
