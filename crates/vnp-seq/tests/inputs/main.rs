//! Awkward, truncated and damaged inputs through the record reader.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::indexing_slicing,
    reason = "helpers of tests fail by panicking, and say why a test was skipped"
)]

mod compressed;
mod fastq;
mod support;

use std::io::{self, Read};
use std::path::Path;

use support::{bgzf, bzip2, check, gzip, read_all, xz};
use vnp_seq::{Error, FastqFault, RecordReader};

#[test]
fn inputs_without_content_have_no_records() {
    for text in ["", "\n", " ", "\r\n\t \n", "\u{feff}", "\u{feff}\n"] {
        check(text, &[]);
        check(gzip(text.as_bytes()), &[]);
        check(bgzf(text.as_bytes(), 100), &[]);
        check(bzip2(text.as_bytes()), &[]);
        check(xz(text.as_bytes()), &[]);
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
    check(b">caf\xe9\nA", &[("caf%E9", "A")]);
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
}

fn check_unsupported(bytes: &[u8], expected: &str) {
    let Err(Error::Unsupported { format, .. }) = read_all(bytes) else {
        panic!("{bytes:?} was accepted")
    };
    assert_eq!(format, expected);
}

#[test]
fn formats_that_are_not_read_are_named() {
    check_unsupported(b"PK\x03\x04....", "a zip archive");
    check_unsupported(&bgzf(b"BAM\x01....", 100), "a BAM file");
    check_unsupported(b"@HD\tVN:1.6\tSO:unsorted\n", "a SAM file");
    check_unsupported(&[0xff, 0xfe, b'>', 0, b'a', 0], "text in UTF-16");
    check_unsupported(&gzip(&gzip(b">a\nA\n")), "compressed twice");
}

#[test]
fn a_header_without_an_end_is_refused_before_it_fills_the_memory() {
    let whole = ">".to_owned() + &"x".repeat((1 << 20) - 1);
    for line_end in ["\n", "\r\n"] {
        assert_eq!(read_all((whole.clone() + line_end + "AC").as_bytes()).unwrap().len(), 1);
    }
    let Err(Error::LongHeader { record: 2, limit, .. }) =
        read_all((">a\nAC\n".to_owned() + &whole + "x\nAC").as_bytes())
    else {
        panic!("it was read")
    };
    assert_eq!(limit, 1 << 20);
}

#[test]
fn a_quality_that_is_much_too_long_is_refused() {
    let text = format!("@a\nACGT\n+\n{}\n", "I".repeat(1 << 20));
    let Err(Error::Fastq { record: 1, fault: FastqFault::QualityLength, .. }) =
        read_all(text.as_bytes())
    else {
        panic!("it was read")
    };
}

#[test]
fn line_ends_at_the_end_of_a_buffer_are_not_letters() {
    for length in (64 << 10) - 3..(64 << 10) + 3 {
        let letters = "A".repeat(length);
        check(format!(">a\r\n{letters}\r\nC\r\n"), &[("a", &(letters + "C"))]);
    }
}

#[test]
fn old_macintosh_line_ends_are_refused_and_not_taken_for_one_header() {
    let carriage_return = |text: &[u8]| match read_all(text) {
        Err(Error::CarriageReturn { record, is_mac, .. }) => (record, is_mac),
        other => panic!("{other:?}"),
    };
    assert_eq!(carriage_return(b">a\rACGT\r>b\rAC\r"), (1, true));
    // One that is not the line end of its file.
    assert_eq!(carriage_return(b">a\nACGT\n>c note\raa\nACGT\n"), (2, false));
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
    let Err(Error::Io { path, cause }) = result else { panic!("no I/O error") };
    assert_eq!((path.as_path(), cause.raw_os_error()), (Path::new("disk.fa"), Some(5)));
}

#[test]
fn a_file_that_cannot_be_opened_is_named() {
    let Err(Error::Io { path, cause }) = RecordReader::open(Path::new("no/such.fa")) else {
        panic!("opened")
    };
    assert_eq!((path.as_path(), cause.kind()), (Path::new("no/such.fa"), io::ErrorKind::NotFound));
}
