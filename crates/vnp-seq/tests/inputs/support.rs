//! Reading bytes as an input, and compressing them.

use std::io::{self, Write};
use std::path::Path;

use bzip2::write::BzEncoder;
use flate2::{Compression as Level, GzBuilder, write::GzEncoder};
use lzma_rust2::{XzOptions, XzWriter};
use vnp_seq::{Error, RecordReader};

pub(crate) type Records = Vec<(String, String)>;

pub(crate) fn read_all(bytes: &[u8]) -> Result<Records, Error> {
    let source = Box::new(io::Cursor::new(bytes.to_vec()));
    let mut reader = RecordReader::from_reader(Path::new("in.fa"), source)?;
    let mut records = Vec::new();
    while let Some(record) = reader.next_record()? {
        records.push((record.id, String::from_utf8_lossy(&record.sequence).into_owned()));
    }
    assert_eq!(reader.next_record()?, None);
    Ok(records)
}

pub(crate) fn check(input: impl AsRef<[u8]>, expected: &[(&str, &str)]) {
    let input = input.as_ref();
    let found = read_all(input).unwrap();
    let found: Vec<_> = found.iter().map(|(id, seq)| (id.as_str(), seq.as_str())).collect();
    assert_eq!(found, expected, "{:?}", String::from_utf8_lossy(input));
}

pub(crate) fn gzip(text: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Level::default());
    encoder.write_all(text).unwrap();
    encoder.finish().unwrap()
}

pub(crate) fn bzip2(text: &[u8]) -> Vec<u8> {
    let mut encoder = BzEncoder::new(Vec::new(), bzip2::Compression::fast());
    encoder.write_all(text).unwrap();
    encoder.finish().unwrap()
}

pub(crate) fn xz(text: &[u8]) -> Vec<u8> {
    let mut encoder = XzWriter::new(Vec::new(), XzOptions::with_preset(0)).unwrap();
    encoder.write_all(text).unwrap();
    encoder.finish().unwrap()
}

/// BGZF blocks of `size` bytes, with the block that ends the file.
pub(crate) fn bgzf(text: &[u8], size: usize) -> Vec<u8> {
    let block = |text: &[u8]| {
        let build = |size: u16| {
            let [low, high] = size.to_le_bytes();
            let mut encoder = GzBuilder::new()
                .extra(vec![b'B', b'C', 2, 0, low, high])
                .operating_system(255)
                .write(Vec::new(), Level::default());
            encoder.write_all(text).unwrap();
            encoder.finish().unwrap()
        };
        let length = build(0).len();
        build(length as u16 - 1)
    };
    let mut file: Vec<u8> = text.chunks(size).flat_map(block).collect();
    file.extend(BGZF_END);
    file
}

pub(crate) const BGZF_END: &[u8] =
    b"\x1f\x8b\x08\x04\0\0\0\0\0\xff\x06\0BC\x02\0\x1b\0\x03\0\0\0\0\0\0\0\0\0";
