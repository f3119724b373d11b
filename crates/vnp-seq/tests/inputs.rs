//! Awkward, truncated and damaged inputs through the record reader.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers of tests fail by panicking"
)]

use std::io::{self, Read, Write};
use std::path::Path;

use flate2::{Compression as Level, GzBuilder, write::GzEncoder};
use vnp_seq::{Compression, Error, FastqFault, RecordReader};

type Records = Vec<(String, String)>;

fn read_all(bytes: &[u8]) -> Result<Records, Error> {
    let source = Box::new(io::Cursor::new(bytes.to_vec()));
    let mut reader = RecordReader::from_reader(Path::new("in.fa"), source)?;
    let mut records = Vec::new();
    while let Some(record) = reader.next_record()? {
        records.push((record.id, String::from_utf8_lossy(&record.sequence).into_owned()));
    }
    assert_eq!(reader.next_record()?, None);
    Ok(records)
}

fn check(input: impl AsRef<[u8]>, expected: &[(&str, &str)]) {
    let input = input.as_ref();
    let found = read_all(input).unwrap();
    let found: Vec<_> = found.iter().map(|(id, seq)| (id.as_str(), seq.as_str())).collect();
    assert_eq!(found, expected, "{:?}", String::from_utf8_lossy(input));
}

fn gzip(text: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Level::default());
    encoder.write_all(text).unwrap();
    encoder.finish().unwrap()
}

/// BGZF blocks of `size` bytes, with the block that ends the file.
fn bgzf(text: &[u8], size: usize) -> Vec<u8> {
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

const BGZF_END: &[u8] = b"\x1f\x8b\x08\x04\0\0\0\0\0\xff\x06\0BC\x02\0\x1b\0\x03\0\0\0\0\0\0\0\0\0";

#[test]
fn inputs_without_content_have_no_records() {
    for text in ["", "\n", " ", "\r\n\t \n", "\u{feff}", "\u{feff}\n"] {
        check(text, &[]);
        check(gzip(text.as_bytes()), &[]);
        check(bgzf(text.as_bytes(), 100), &[]);
        check(zstd::encode_all(text.as_bytes(), 0).unwrap(), &[]);
    }
    check(vec![b'\n'; 200_000], &[]);
}

#[test]
fn a_header_without_a_sequence_is_an_empty_record() {
    check(">", &[("", "")]);
    check(">\n", &[("", "")]);
    check(">a", &[("a", "")]);
    check(">a\n", &[("a", "")]);
    check(">a\r\n", &[("a", "")]);
    check(">a\n\n", &[("a", "")]);
    check(">a\n>b\nAC\n", &[("a", ""), ("b", "AC")]);
    check(">a\r\n>b\r\nAC\r\n", &[("a", ""), ("b", "AC")]);
    check(">a\n\n\n>b\nAC\n", &[("a", ""), ("b", "AC")]);
    check(">a\nAC\n>b", &[("a", "AC"), ("b", "")]);
    check(">a\nAC\n>b\n", &[("a", "AC"), ("b", "")]);
    check(">\nAC\n>\n>\nGT", &[("", "AC"), ("", ""), ("", "GT")]);
    check("@a\n\n+\n\n@b\nAC\n+\nII\n", &[("a", ""), ("b", "AC")]);
    check("@b\nAC\n+\nII\n@a\n\n+\n\n", &[("b", "AC"), ("a", "")]);
    check("@b\nAC\n+\nII\n@a\n\n+\n", &[("b", "AC"), ("a", "")]);
}

#[test]
fn line_ends_case_blanks_and_ids_are_read_as_documented() {
    check(">a x y\r\nAC\r\nGT\r\n\r\n>b\tz\r\nNN", &[("a", "ACGT"), ("b", "NN")]);
    check("\u{feff}\n\n >a\nacgu NnU\n\n", &[("a", "acgtNnT")]);
    check(">a\nA\n>a\nC\n>a\nG", &[("a", "A"), ("a", "C"), ("a", "G")]);
    check(b">caf\xe9\nA", &[("caf\u{fffd}", "A")]);
    check(">a>b\nA\n", &[("a>b", "A")]);
    check("@a 1\r\nAC\r\n+a 1\r\nI@\r\n\r\n\r\n\r\n\r\n\r\n", &[("a", "AC")]);
    check("@a\nAC\n+\n@@", &[("a", "AC")]);
}

#[test]
fn a_record_of_ten_megabases_on_one_line_is_read() {
    let line = "ACGT".repeat(2_500_000);
    check(format!(">a\n{line}\n>b\n{line}"), &[("a", &line), ("b", &line)]);
}

#[test]
fn reads_of_any_size_give_the_same_records() {
    struct Trickle(Vec<u8>, usize);
    impl Read for Trickle {
        fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
            let count = self.1.min(buf.len()).min(self.0.len());
            buf[..count].copy_from_slice(&self.0[..count]);
            self.0.drain(..count);
            Ok(count)
        }
    }
    for text in ["@a\nAC\n+\nII\n\n\n\n\n\n", "\n@a\r\nAC\r\n+\r\nII\r\n", ">a\nA\nC\n"] {
        for bytes in [text.as_bytes().to_vec(), gzip(text.as_bytes()), bgzf(text.as_bytes(), 3)] {
            for step in 1..5 {
                let source = Box::new(Trickle(bytes.clone(), step));
                let mut reader = RecordReader::from_reader(Path::new("t"), source).unwrap();
                let record = reader.next_record().unwrap().unwrap();
                assert_eq!((record.id.as_str(), &*record.sequence), ("a", b"AC".as_slice()));
                assert_eq!(reader.next_record().unwrap(), None);
            }
        }
    }
}

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
    // A cut between two members of gzip is valid gzip, one between two blocks of BGZF is detected.
    let members = [gzip(&text[..50]), gzip(&text[50..])];
    check_cut(&members.concat(), Compression::Gzip, &[members[0].len()]);
    check_cut(&bgzf(text, 90), Compression::Bgzf, &[]);
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
    let trailing = [gzip(b">a\nA\n"), b"this is not gzip".to_vec()].concat();
    let Err(Error::Corrupt { compression, .. }) = read_all(&trailing) else { panic!() };
    assert_eq!(compression, Compression::Gzip);
}

fn check_unknown(bytes: &[u8], expected: u8) {
    let Err(Error::UnknownFormat { path, found }) = read_all(bytes) else {
        panic!("{bytes:?} was accepted")
    };
    assert_eq!((path.as_path(), found), (Path::new("in.fa"), expected));
}

#[test]
fn what_is_neither_fasta_nor_fastq_is_refused() {
    check_unknown(b"A", b'A');
    check_unknown(b"ACGT\n", b'A');
    check_unknown(b"\n\n;old style\nACGT\n", b';');
    check_unknown(&[0x7f, b'E', b'L', b'F', 2, 1, 1, 0], 0x7f);
    check_unknown(&[0; 100], 0);
    check_unknown(&gzip(b"\x00\x01"), 0);
    check_unknown(&[0xff, 0xfe, b'>', 0, b'a', 0], 0xff);
}

fn check_unsupported(bytes: &[u8], expected: &str) {
    let Err(Error::Unsupported { format, .. }) = read_all(bytes) else {
        panic!("{bytes:?} was accepted")
    };
    assert_eq!(format, expected);
}

#[test]
fn formats_that_are_not_read_are_named() {
    check_unsupported(b"BZh91AY&SY", "bzip2");
    check_unsupported(b"\xfd7zXZ\0\0\x04", "xz");
    check_unsupported(b"PK\x03\x04....", "a zip archive");
    check_unsupported(&bgzf(b"BAM\x01....", 100), "BAM");
    check_unsupported(b"@HD\tVN:1.6\tSO:unsorted\n", "SAM");
}

fn check_fastq(text: &str, record: u64, line: u64, id: Option<&str>, fault: FastqFault) {
    let found = read_all(text.as_bytes());
    let Err(Error::Fastq { record: r, line: l, id: i, fault: f, .. }) = found else {
        panic!("{text:?} gave {found:?}")
    };
    assert_eq!((r, l, i.as_deref(), f), (record, line, id, fault), "{text:?}");
}

#[test]
fn a_broken_fastq_record_is_an_error_with_its_place() {
    use FastqFault::{End, QualityLength, Separator, Start};
    check_fastq("@a\nAC\n+\nI\n", 1, 1, Some("a"), QualityLength);
    check_fastq("@a\nAC\n+\nIII", 1, 1, Some("a"), QualityLength);
    check_fastq("@a\nA\n+\nI\n@b x\nAC\n+\nI\n", 2, 5, Some("b"), QualityLength);
    check_fastq("@a\nA\n+\nI\n@b\nAC\nGT\n+\nIIII\n", 2, 7, Some("b"), Separator);
    check_fastq("@a\nA\n+\nI\nb\nAC\n+\nII\n", 2, 5, None, Start);
    check_fastq("@", 1, 2, Some(""), End);
    check_fastq("@a\nAC\n", 1, 3, Some("a"), End);
    check_fastq("@a\nA\n+\nI\n@b\nAC\n", 2, 7, Some("b"), End);
    check_fastq("@a\nAC\n+\n", 1, 1, Some("a"), QualityLength);
}

#[test]
fn old_macintosh_line_ends_are_refused_and_not_taken_for_one_header() {
    let Err(Error::CarriageReturn { record, .. }) = read_all(b">a\rACGT\r>b\rAC\r") else {
        panic!()
    };
    assert_eq!(record, 1);
}

#[test]
fn a_read_error_is_kept_with_its_source() {
    struct Failing(usize);
    impl Read for Failing {
        fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
            self.0 += 1;
            match self.0 {
                1 => {
                    buf[..6].copy_from_slice(b">a\nACG");
                    Ok(6)
                }
                2 => Err(io::ErrorKind::Interrupted.into()),
                _ => Err(io::Error::from_raw_os_error(5)),
            }
        }
    }
    let mut result = RecordReader::from_reader(Path::new("disk.fa"), Box::new(Failing(0)));
    if let Ok(reader) = &mut result {
        let Err(error) = reader.next_record() else { panic!("no error") };
        result = Err(error);
    }
    let Err(Error::Io { path, source }) = result else { panic!("no I/O error") };
    assert_eq!((path.as_path(), source.raw_os_error()), (Path::new("disk.fa"), Some(5)));
}

#[test]
fn a_file_that_cannot_be_opened_is_named() {
    let Err(Error::Io { path, source }) = RecordReader::open(Path::new("no/such.fa")) else {
        panic!("opened")
    };
    assert_eq!((path.as_path(), source.kind()), (Path::new("no/such.fa"), io::ErrorKind::NotFound));
}
