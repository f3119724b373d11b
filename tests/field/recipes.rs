//! Small inputs rebuilt from public bug reports of neighbouring tools.

use std::io::Write as _;

use flate2::write::{DeflateEncoder, GzEncoder};

use crate::support::Bench;

/// Writes the recipes into the directory `field` of a bench.
pub(super) fn write(bench: &Bench) {
    for dir in ["field", "field/A", "field/B"] {
        std::fs::create_dir(bench.path(dir)).unwrap();
    }
    let write = |name: &str, contents: &[u8]| drop(bench.write(&format!("field/{name}"), contents));
    let sequences: [String; 3] = std::array::from_fn(coding);
    let base: String = sequences.iter().zip(1..).map(|(s, i)| format!(">r{i}\n{s}\n")).collect();
    let base = base.as_bytes();
    write("base.fa", base);
    let (first, second) = base.split_at(1500);
    let blocks = [bgzf_block(first), bgzf_block(second)].concat();
    write("bgzf_without_end_block.fa.gz", &blocks);
    write("bgzf_cut_in_a_block.fa.gz", &blocks[..blocks.len() - 40]);
    write("gzip_then_zeros.fa.gz", &[gzip(base).as_slice(), &[0; 512]].concat());
    write("base.fa.bz2", &bzip2(base));
    write("base.fa.xz", &xz(base));

    let qualities = [1, 2, 3].map(|seed| {
        let letters = b"@+IIIIFF#".iter().cycle().skip(seed).step_by(seed * 2 + 2);
        letters.take(1000).map(|&letter| char::from(letter)).collect::<String>()
    });
    let fastq = |fold: &dyn Fn(&str) -> String| -> String {
        let records = sequences.iter().zip(&qualities).zip(1..);
        records.map(|((s, q), i)| format!("@r{i}\n{}\n+\n{}\n", fold(s), fold(q))).collect()
    };
    write("plain.fq", fastq(&str::to_owned).as_bytes());
    let lines = |text: &str| -> Vec<String> {
        text.as_bytes().chunks(60).map(|line| String::from_utf8_lossy(line).into_owned()).collect()
    };
    write("wrapped.fq", fastq(&|text| lines(text).join("\n")).as_bytes());

    let [one, two, _] = &sequences;
    write(
        "one_id.fa",
        sequences.iter().map(|s| format!(">a\n{s}\n")).collect::<String>().as_bytes(),
    );
    write("A/c.fa", format!(">k141_1\n{one}\n").as_bytes());
    write("B/c.fa", format!(">k141_1\n{two}\n").as_bytes());

    let protein = "MKVLAETRQNDWFYHICGPSTK";
    write("protein.faa", format!(">p\n{protein}\n").as_bytes());
    write("protein_star.faa", format!(">p\n{protein}*\n").as_bytes());
    write("protein_digit.faa", format!(">p\n{protein}1\n").as_bytes());
    let many: String = (0..200).map(|i| format!(">p{i}\n{protein}\n")).collect();
    write("empty_last.faa", (many + ">last\n\n").as_bytes());
}

/// 1,000 bp without a stop codon in the first frame.
fn coding(seed: usize) -> String {
    let codons = ["GCC", "AAA", "CTG", "GAT", "TTC", "CGT", "ACC", "GGA", "CAT", "ATC", "TGG"];
    (0..1000).map(|i| codons[(i * i + i * (seed + 1) + i / 7) % codons.len()]).collect::<String>()
        [..1000]
        .to_owned()
}

pub(super) fn gzip(data: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(data).unwrap();
    encoder.finish().unwrap()
}

fn bzip2(data: &[u8]) -> Vec<u8> {
    let mut encoder = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::best());
    encoder.write_all(data).unwrap();
    encoder.finish().unwrap()
}

fn xz(data: &[u8]) -> Vec<u8> {
    let options = lzma_rust2::XzOptions::with_preset(6);
    let mut encoder = lzma_rust2::XzWriter::new(Vec::new(), options).unwrap();
    encoder.write_all(data).unwrap();
    encoder.finish().unwrap()
}

/// A block of BGZF; the empty one that ends a file is not written.
fn bgzf_block(data: &[u8]) -> Vec<u8> {
    let mut encoder = DeflateEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(data).unwrap();
    let packed = encoder.finish().unwrap();
    let mut crc = flate2::Crc::new();
    crc.update(data);
    let size = u16::try_from(packed.len() + 25).unwrap();
    [
        b"\x1f\x8b\x08\x04\0\0\0\0\0\xff\x06\0BC\x02\0".as_slice(),
        &size.to_le_bytes(),
        &packed,
        &crc.sum().to_le_bytes(),
        &u32::try_from(data.len()).unwrap().to_le_bytes(),
    ]
    .concat()
}
