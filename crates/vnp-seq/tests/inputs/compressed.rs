//! Compressed inputs: whole, joined, truncated, damaged, and followed by other bytes.

use std::io;
use std::path::Path;

use vnp_seq::{ChunkLength, Compression, Error, FrameReader, RecordReader};

use crate::support::{BGZF_END, bgzf, bzip2, check, gzip, read_all, xz};

#[test]
fn compressed_inputs_are_read_to_their_end() {
    let text = b">a\nACGT\n>b\nGG\n";
    let expected = [("a", "ACGT"), ("b", "GG")];
    check(gzip(text), &expected);
    check([gzip(&text[..5]), gzip(&text[5..])].concat(), &expected);
    check([gzip(&text[..5]), gzip(b""), gzip(&text[5..]), gzip(b"")].concat(), &expected);
    for size in 1..text.len() {
        check(bgzf(text, size), &expected);
    }
    let zeros = vec![0; 8];
    for encode in [bzip2, xz] {
        check(encode(text), &expected);
        check([encode(&text[..5]), encode(b""), encode(&text[5..])].concat(), &expected);
        check([encode(text), zeros.clone()].concat(), &expected);
    }
    check([xz(&text[..5]), zeros, xz(&text[5..])].concat(), &expected);
    let zst = |text: &[u8]| zstd::encode_all(text, 3).unwrap();
    check(zst(text), &expected);
    check([zst(&text[..5]), zst(&text[5..])].concat(), &expected);
    check([b"\x50\x2a\x4d\x18\x02\0\0\0xx".to_vec(), zst(text)].concat(), &expected);
}

fn check_cut(bytes: &[u8], expected: Compression, boundaries: &[usize]) {
    for at in 1..bytes.len() {
        if boundaries.contains(&at) {
            continue;
        }
        let Err(Error::Truncated { path, compression, record, byte, .. }) = read_all(&bytes[..at])
        else {
            panic!("{expected} cut at {at} of {} was accepted", bytes.len())
        };
        assert_eq!(path, Path::new("in.fa"));
        let known = at < 14 || compression == expected || compression == Compression::Gzip;
        assert!(known, "{compression} for {expected} at {at}");
        assert!((1..=3).contains(&record) && byte <= 400, "record {record}, byte {byte}");
    }
}

#[test]
fn a_compressed_input_truncated_anywhere_is_an_error_with_its_position() {
    let text = format!(">a\n{}\n>b\nGGCATC\n", "ACGTTGCATTAGC".repeat(20));
    let text = text.as_bytes();
    check_cut(&gzip(text), Compression::Gzip, &[]);
    check_cut(&zstd::encode_all(text, 0).unwrap(), Compression::Zstd, &[]);
    for (encode, compression) in
        [(bzip2 as fn(&[u8]) -> Vec<u8>, Compression::Bzip2), (xz, Compression::Xz)]
    {
        let streams = [encode(&text[..50]), encode(&text[50..])];
        check_cut(&streams.concat(), compression, &[streams[0].len()]);
    }
    // A cut between two members of gzip is valid gzip; one between two blocks of BGZF gives a warning.
    let members = [gzip(&text[..50]), gzip(&text[50..])];
    check_cut(&members.concat(), Compression::Gzip, &[members[0].len()]);
    let blocks = bgzf(text, 90);
    let ends = block_ends(&blocks);
    assert_eq!(ends.len(), 5);
    check_cut(&blocks, Compression::Bgzf, &ends);
    let fastq = "@r1\nACGTACGATCGACTAGCTAC\n+\nIIIIIIIIIIIIIIIIIIII\n".repeat(3);
    check_cut(&gzip(fastq.as_bytes()), Compression::Gzip, &[]);
}

#[test]
fn a_cut_deep_in_a_large_input_names_record_and_byte() {
    let mut seed = 7u32;
    let mut base = || {
        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        char::from(b"ACGT"[(seed >> 30) as usize])
    };
    let text: String = (0..2000)
        .map(|i| format!(">r{i}\n{}\n", (0..200).map(|_| base()).collect::<String>()))
        .collect();
    let bytes = gzip(text.as_bytes());
    let cut = read_all(&bytes[..bytes.len() / 2]);
    let Err(error @ Error::Truncated { record, byte, .. }) = cut else { panic!("{cut:?}") };
    assert!((800..1200).contains(&record), "record {record}");
    assert_eq!(record, text[..byte as usize].matches('>').count() as u64);
    assert!((160_000..250_000).contains(&byte), "byte {byte}");
    let text = error.to_string();
    assert!(text.contains("in.fa") && text.contains("copy or download it again"), "{text}");
}

#[test]
fn damaged_compressed_data_is_not_reported_as_truncated() {
    let mut bytes = gzip(b">a\nACGTACGTTTAGCATCGATCGATCGACTACG\n");
    let at = bytes.len() - 6;
    bytes[at] ^= 1;
    let Err(Error::Corrupt { compression, record, .. }) = read_all(&bytes) else { panic!() };
    assert_eq!((compression, record), (Compression::Gzip, 1));
}

/// The offsets at which the blocks of a BGZF file end.
fn block_ends(file: &[u8]) -> Vec<usize> {
    let mut ends = vec![0];
    while let Some(size) = file.get(ends[ends.len() - 1]..).and_then(|block| block.get(16..18)) {
        ends.push(ends[ends.len() - 1] + usize::from(size[0]) + 256 * usize::from(size[1]) + 1);
    }
    ends.remove(0);
    ends
}

fn check_end(bytes: &[u8], expected: &[(&str, &str)], maybe_truncated: bool) {
    check(bytes, expected);
    let open =
        || RecordReader::from_reader(Path::new("in.fa"), Box::new(io::Cursor::new(bytes.to_vec())));
    let mut reader = open().unwrap();
    while reader.next_record().unwrap().is_some() {}
    assert_eq!(reader.maybe_truncated(), maybe_truncated);
    let mut strict = open().unwrap().strict(true);
    let end = std::iter::from_fn(|| strict.next_record().transpose()).last();
    match (end, maybe_truncated) {
        (Some(Err(Error::NoEndBlock { record, .. })), true) => {
            assert_eq!(record, expected.len() as u64)
        }
        (None | Some(Ok(_)), false) => {}
        (end, _) => panic!("{end:?}"),
    }
}

#[test]
fn a_missing_end_block_is_reported_and_refused_when_strict() {
    let expected = [("a", "ACGT"), ("b", "GG")];
    let text = b">a\nACGT\n>b\nGG\n";
    let (whole, zeros) = (bgzf(text, 4), vec![0; 512]);
    let without = &whole[..whole.len() - BGZF_END.len()];
    check_end(&whole, &expected, false);
    check_end(without, &expected, true);
    check_end(&[&whole, &zeros[..]].concat(), &expected, false);
    check_end(&[without, &zeros].concat(), &expected, true);
    // gzip and BGZF in any order: the blocks before a member of gzip need their end as well.
    let (first, rest) = text.split_at(7);
    let plain = gzip(rest);
    let cut = |blocks: &[u8]| blocks[..blocks.len() - BGZF_END.len()].to_vec();
    check_end(&[bgzf(first, 3), plain.clone()].concat(), &expected, false);
    check_end(&[cut(&bgzf(first, 3)), plain].concat(), &expected, true);
    check_end(&[gzip(first), bgzf(rest, 3)].concat(), &expected, false);
    check_end(&[gzip(first), cut(&bgzf(rest, 3))].concat(), &expected, true);
    check_end(&[bgzf(first, 3), bgzf(rest, 3)].concat(), &expected, false);
    check_end(&cut(&bgzf(b"\n\n", 1)), &[], true);
}

#[test]
fn one_input_that_may_be_truncated_counts_for_all() {
    let dir = tempfile::tempdir().unwrap();
    let paths = ["cut.fa.gz", "whole.fa.gz"].map(|name| dir.path().join(name));
    let whole = bgzf(b">r\nTCG\n", 4);
    std::fs::write(&paths[0], &whole[..whole.len() - BGZF_END.len()]).unwrap();
    std::fs::write(&paths[1], &whole).unwrap();
    let open = |paths| FrameReader::open(paths, ChunkLength::new(3).unwrap()).unwrap();
    for (inputs, expected) in [(&paths[..], true), (&paths[1..], false)] {
        let mut reader = open(inputs);
        while reader.next_block().unwrap().is_some() {}
        assert_eq!(reader.maybe_truncated(), expected);
        match (open(inputs).strict(true).next_block(), expected) {
            (Err(Error::NoEndBlock { path, record }), true) => {
                assert_eq!((&path, record), (&paths[0], 1))
            }
            (Ok(Some(block)), false) => assert_eq!(block.records.len(), 1),
            (first, _) => panic!("{first:?}"),
        }
    }
}

#[test]
fn zeros_may_follow_gzip_and_nothing_else() {
    let whole = gzip(b">a\nA\n");
    for zeros in [1, 2, 511, 70_000] {
        check([whole.clone(), vec![0; zeros]].concat(), &[("a", "A")]);
    }
    let garbage: [&[u8]; 5] = [b"this is not gzip", b"x", b"\n", b"\0\0\x1f\x8b", b"\x1f\x8a"];
    for garbage in garbage {
        let Err(error) = read_all(&[&whole, garbage].concat()) else { panic!("{garbage:?}") };
        let text = error.to_string();
        let Error::TrailingBytes { compression, position, .. } = error else { panic!("{text}") };
        assert_eq!((compression, position), (Compression::Gzip, whole.len() as u64));
        assert!(text.contains(&format!("`head -c {position}`")), "{text}");
    }
}

#[test]
fn every_field_of_a_member_s_header_is_read_and_checked() {
    let header = |flags: u8, fields: &[u8]| {
        let whole = gzip(b">a\nA\n");
        [&whole[..3], &[flags], &whole[4..10], fields, &whole[10..]].concat()
    };
    check(header(0, b""), &[("a", "A")]);
    check(header(1, b""), &[("a", "A")]);
    check(header(4 | 8 | 16, b"\x03\0abcname\0a comment\0"), &[("a", "A")]);
    let whole = header(2, b"\0\0");
    let mut crc = flate2::Crc::new();
    crc.update(&whole[..10]);
    let [low, high, ..] = crc.sum().to_le_bytes();
    check(header(2, &[low, high]), &[("a", "A")]);
    let mut old = gzip(b">a\nA\n");
    old[1] = 0x9e;
    check(old, &[("a", "A")]);
    for damaged in [header(2, &[low ^ 1, high]), header(32, b""), header(64, b"")] {
        let Err(Error::Corrupt { .. }) = read_all(&damaged) else { panic!("{damaged:?}") };
    }
}

#[test]
fn bytes_after_bzip2_and_xz_are_taken_as_by_their_own_tools() {
    let whole = bzip2(b">a\nA\n");
    for ignored in ["x", "garbage", "BAM", "BZx", "BZh0", "\0"] {
        check([&whole, ignored.as_bytes()].concat(), &[("a", "A")]);
    }
    for start in ["B", "BZ", "BZh", "BZh9"] {
        let Err(Error::Truncated { compression, .. }) =
            read_all(&[&whole, start.as_bytes()].concat())
        else {
            panic!("{start}")
        };
        assert_eq!(compression, Compression::Bzip2);
    }
    let Err(Error::Corrupt { .. }) = read_all(&[&whole, b"BZh9 and more".as_slice()].concat())
    else {
        panic!()
    };

    let whole = xz(b">a\nA\n");
    for garbage in [b"x".as_slice(), b"\0\0\0\0x", b"\xfd7zXY\0", b"\xfd7zx"] {
        let Err(error) = read_all(&[&whole, garbage].concat()) else { panic!("{garbage:?}") };
        let Error::TrailingBytes { compression, position, .. } = error else { panic!("{error}") };
        assert_eq!((compression, position), (Compression::Xz, whole.len() as u64));
    }
    let Err(Error::Truncated { .. }) = read_all(&[&whole, b"\xfd7z".as_slice()].concat()) else {
        panic!()
    };
    let Err(Error::Corrupt { .. }) = read_all(&[&whole, [0; 3].as_slice()].concat()) else {
        panic!()
    };
}

#[test]
fn every_changed_bit_of_a_checked_file_is_noticed() {
    let text = b">a\nACGTTGCATTAGC\n>b\nGGCATC\n";
    for encode in [gzip, bzip2, xz] {
        let whole = encode(text);
        let expected = read_all(&whole).unwrap();
        for bit in 0..whole.len() * 8 {
            let mut changed = whole.clone();
            changed[bit / 8] ^= 1 << (bit % 8);
            if let Ok(found) = read_all(&changed) {
                assert_eq!(found, expected, "bit {bit}");
            }
        }
    }
}

#[test]
fn a_decoder_s_limit_is_not_called_damage() {
    // A window of 2 GiB; a dictionary that only the writer has.
    let window = b"\x28\xb5\x2f\xfd\x00\xa8\x01\0\0";
    let dictionary = b"\x28\xb5\x2f\xfd\x21\x07\x01\x09\0\0x";
    // The header of an xz block with a dictionary of 1 GiB, as `xz --lzma2=dict=1GiB` writes it.
    let mut block = b"\x02\0\x21\x01\x24\0\0\0".to_vec();
    let mut crc = flate2::Crc::new();
    crc.update(&block);
    block.extend(crc.sum().to_le_bytes());
    let whole = xz(b">a\nA\n");
    let xz = [&whole[..12], &block, &whole[24..]].concat();
    for (bytes, expected) in [
        (window.to_vec(), Compression::Zstd),
        (dictionary.to_vec(), Compression::Zstd),
        (xz, Compression::Xz),
    ] {
        let Err(error) = read_all(&bytes) else { panic!("{bytes:?}") };
        let text = error.to_string();
        let Error::Limit { compression, .. } = error else { panic!("{text}") };
        assert_eq!(compression, expected);
        assert!(text.contains("need not be damaged") && !text.contains("again"), "{text}");
    }
}
