//! Alignments from BAM have the rows that PAF of the same alignments has.

use std::io::Write;

use vnp_calls::{AlignmentFormat, ReadsOptions};

use crate::support::Bench;

const BAM: AlignmentFormat = AlignmentFormat::Bam;
/// The empty block at the end of a complete file.
const END: [u8; 28] = *b"\x1f\x8b\x08\x04\0\0\0\0\0\xff\x06\0BC\x02\0\x1b\0\x03\0\0\0\0\0\0\0\0\0";

/// A record: name, flags, contig, mapping quality, CIGAR and tags.
struct Record<'a>(&'a str, u16, i32, u8, &'a [(u32, char)], &'a [u8]);

impl Record<'_> {
    fn bytes(&self) -> Vec<u8> {
        let Self(name, flags, contig, mapq, cigar, tags) = self;
        let mut bytes = Vec::new();
        bytes.extend(contig.to_le_bytes());
        bytes.extend(0_i32.to_le_bytes());
        bytes.extend([u8::try_from(name.len() + 1).unwrap(), *mapq, 0, 0]);
        bytes.extend(u16::try_from(cigar.len()).unwrap().to_le_bytes());
        bytes.extend(flags.to_le_bytes());
        bytes.extend(0_u32.to_le_bytes());
        bytes.extend((-1_i32).to_le_bytes());
        bytes.extend((-1_i32).to_le_bytes());
        bytes.extend(0_i32.to_le_bytes());
        bytes.extend(name.as_bytes());
        bytes.push(0);
        for (length, kind) in *cigar {
            let kind = u32::try_from("MIDNSHP=X".find(*kind).unwrap()).unwrap();
            bytes.extend((length << 4 | kind).to_le_bytes());
        }
        bytes.extend(*tags);
        let size = u32::try_from(bytes.len()).unwrap().to_le_bytes();
        [&size[..], &bytes].concat()
    }
}

/// A file with the contigs `v` and `n`.
fn bam(records: &[Record<'_>]) -> Vec<u8> {
    let text = b"@HD\tVN:1.6\n";
    let mut bytes = b"BAM\x01".to_vec();
    bytes.extend(u32::try_from(text.len()).unwrap().to_le_bytes());
    bytes.extend(text);
    bytes.extend(2_u32.to_le_bytes());
    for (name, length) in [("v", 1000_u32), ("n", 2000)] {
        bytes.extend(2_u32.to_le_bytes());
        bytes.extend(name.as_bytes());
        bytes.push(0);
        bytes.extend(length.to_le_bytes());
    }
    bytes.extend(records.iter().flat_map(Record::bytes));
    bgzf(&bytes)
}

fn bgzf(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    // The size of the block is filled in below.
    let builder = flate2::GzBuilder::new().extra(*b"BC\x02\0\0\0");
    let mut encoder = builder.write(&mut out, flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap();
    let size = u16::try_from(out.len() - 1).unwrap().to_le_bytes();
    out[16..18].copy_from_slice(&size);
    [out.as_slice(), &END].concat()
}

const NM3: &[u8] = b"NMC\x03";

#[test]
fn rows_are_those_of_paf() {
    let bench = Bench::new();
    let clipped = [
        (5, 'H'),
        (5, 'S'),
        (40, 'M'),
        (2, 'I'),
        (100, 'N'),
        (40, 'M'),
        (1, 'D'),
        (7, 'M'),
        (1, 'S'),
    ];
    let path = bench.write(
        "in.bam",
        bam(&[
            // Block 40 + 2 + 40 + 1 + 7 = 90, of which 3 are edits; 89 of 100 bases are aligned.
            Record("a", 0, 0, 60, &clipped, NM3),
            Record("a", 0x100, 1, 60, &[(100, 'M')], NM3),
            Record("a", 0x800 | 0x10, 0, 20, &[(50, 'H'), (50, 'M')], b"NMi\0\0\0\0"),
            Record("p", 0x1 | 0x40, 1, 255, &[(60, '='), (20, 'X')], b""),
            Record("p/2", 0x1 | 0x80 | 0x10, 1, 4, &[(100, 'M')], b"MDZ50A20^AC28\0"),
            Record("i", 0, 1, 4, &[(100, 'M')], b"tpAINMC\x00"),
            Record("u", 0x4, -1, 0, &[], b""),
        ]),
    );
    let summary = bench.call(&path, BAM, &ReadsOptions::default()).unwrap();
    assert_eq!(
        bench.rows(10),
        [
            "a 100 v 1000 + 60 96.66666666666667 89.0 True Viral",
            "p/1 80 n 2000 + 255 75.0 100.0 False Non-viral",
            "p/2 100 n 2000 - 4 98.0 100.0 False Non-viral",
        ]
    );
    assert_eq!((summary.alignments, summary.secondary, summary.unmapped), (4, 2, 1));
    assert!(summary.is_grouped);
}

#[test]
fn a_long_cigar_stands_in_a_tag() {
    let bench = Bench::new();
    let mut tag = b"CGBI".to_vec();
    tag.extend(2_u32.to_le_bytes());
    tag.extend((90_u32 << 4 | 7).to_le_bytes());
    tag.extend((10_u32 << 4 | 4).to_le_bytes());
    // The length of the sequence is 0 here, and so is that of the clip that stands for it.
    let path = bench.write("in.bam", bam(&[Record("a", 0, 0, 60, &[(0, 'S'), (90, 'N')], &tag)]));
    bench.call(&path, BAM, &ReadsOptions::default()).unwrap();
    assert_eq!(bench.rows(9), ["a 100 v 1000 + 60 100.0 90.0 True"]);
}

#[test]
fn errors_name_file_record_and_remedy() {
    let check = |bytes: &[u8], words: &[&str]| {
        let bench = Bench::new();
        let path = bench.write("in.bam", bytes);
        let error = bench.call(&path, BAM, &ReadsOptions::default()).unwrap_err().to_string();
        for word in words {
            assert!(error.contains(word), "{word:?} is not in {error:?}");
        }
        assert_eq!(bench.names(), ["calls.tsv", "in.bam"]);
    };
    let good = Record("a", 0, 0, 60, &[(100, 'M')], NM3);
    let record = |bad: Record<'_>| bam(&[Record("a", 0, 0, 60, &[(100, 'M')], NM3), bad]);
    let whole = bam(&[good]);
    // Without the end mark, within a block, within the mark.
    check(&whole[..whole.len() - 28], &["in.bam", "end mark", "truncated"]);
    check(&whole[..whole.len() - 40], &["in.bam", "truncated"]);
    check(&whole[..whole.len() - 1], &["in.bam", "truncated"]);
    // The text ends within a record, although the file is whole.
    let mut text = Vec::new();
    std::io::Read::read_to_end(&mut flate2::read::MultiGzDecoder::new(&whole[..]), &mut text)
        .unwrap();
    check(&bgzf(&text[..text.len() - 2]), &["record 1", "truncated"]);
    check(&bgzf(&text[..20]), &["in.bam", "header"]);
    check(&bgzf(b"@HD\tVN:1.6\n"), &["not a BAM file", "--paf"]);
    check(b"a\t1\n", &["not a BAM file"]);
    check(&record(Record("b", 0, 0, 60, &[(100, 'M')], b"")), &["record 2", "samtools calmd"]);
    check(&record(Record("b", 0, 0, 60, &[], NM3)), &["record 2", "no CIGAR"]);
    check(&record(Record("b", 0, 9, 60, &[(9, 'M')], NM3)), &["record 2", "contig"]);
    check(&record(Record("b", 0, -1, 60, &[(9, 'M')], NM3)), &["record 2", "contig"]);
    check(&record(Record("b", 0, 0, 60, &[(1, 'M'), (9, 'I')], NM3)), &["record 2", "contradicts"]);
    check(&record(Record("b", 0, 0, 60, &[(2, 'M')], NM3)), &["record 2", "contradicts"]);
    check(&record(Record("b", 0, 0, 60, &[(2, 'M')], b"NMq")), &["record 2", "damaged"]);
}
