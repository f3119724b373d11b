//! `validate` and `predict` accept the same files, and find the same in them: also in damaged ones.

use std::cell::Cell;
use std::io::Write as _;
use std::path::Path;

use vnp_pipeline::{DuplicateIds, Error, Event, Input, RunOptions, StopFlag};
use vnp_seq::{ChunkLength, RecordReader};

use crate::support::info;

/// What a command found: records, those without letters, those that are not nucleotides, those with an
/// earlier id; or why it read no further.
type Found = Result<[u64; 4], String>;

fn validated(path: &Path, strict: bool) -> Found {
    let scratch = path.parent().unwrap();
    let reader = RecordReader::open(path).map_err(|error| error.to_string())?.strict(strict);
    let found = vnp_pipeline::validate(reader, path, DuplicateIds::Warn, scratch, &mut |_, _| ())
        .map_err(|error| error.to_string())?;
    Ok([found.records, found.empty, found.invalid, found.duplicate_ids])
}

/// A run up to the moment when it asks for a model.
fn predicted(path: &Path, strict: bool) -> Found {
    let out = tempfile::tempdir_in(path.parent().unwrap()).unwrap();
    let inputs = vec![Input::File(path.to_owned())];
    let new = RunOptions::new(inputs, out.path().join("out"), ChunkLength::new(300).unwrap());
    let found = Cell::new(None);
    let observer = |event: Event<'_>| {
        if let Event::Surveyed(survey) = event {
            found.set(Some([survey.records, survey.empty, survey.failed, survey.duplicate_ids]));
        }
    };
    let no_model = Box::new(|| Err(vnp_infer::Error::NoCuda { ordinal: 0 }));
    let options = RunOptions { strict_input: strict, ..new };
    let ended = vnp_pipeline::predict(options, &info(), no_model, &observer, &StopFlag::default());
    match ended {
        Ok(_) | Err(Error::Model(_)) => Ok(found.get().unwrap()),
        Err(error) => Err(error.to_string()),
    }
}

#[track_caller]
fn check(path: &Path, contents: &[u8], strict: bool) -> bool {
    std::fs::write(path, contents).unwrap();
    let (validated, predicted) = (validated(path, strict), predicted(path, strict));
    let shown = || contents[..contents.len().min(400)].escape_ascii().to_string();
    match (&validated, &predicted) {
        // A run needs one record that can be a nucleotide sequence; validate lists those that cannot.
        (Ok([records, empty, invalid, _]), Err(reason)) if *invalid > 0 => {
            assert!(reason.contains("is a nucleotide sequence"), "{reason}\n{}", shown());
            assert_eq!(empty + invalid, *records, "{}", shown());
        }
        _ => assert_eq!(validated, predicted, "{}", shown()),
    }
    predicted.is_ok()
}

fn bgzf(data: &[u8]) -> Vec<u8> {
    let mut packed = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::fast());
    packed.write_all(data).unwrap();
    let packed = packed.finish().unwrap();
    let mut block = b"\x1f\x8b\x08\x04\0\0\0\0\0\xff\x06\0BC\x02\0".to_vec();
    block.extend((packed.len() as u16 + 25).to_le_bytes());
    block.extend(packed);
    let mut crc = flate2::Crc::new();
    crc.update(data);
    block.extend(crc.sum().to_le_bytes());
    block.extend((data.len() as u32).to_le_bytes());
    block
}

/// Small files of every kind that is read.
fn originals() -> Vec<Vec<u8>> {
    let letters = |salt: usize| -> String {
        (0..310).map(|i| ["A", "C", "G", "T"][(i * i + i / 3 + salt) % 4]).collect()
    };
    let fold = |text: &str| -> String {
        text.as_bytes()
            .chunks(60)
            .map(|line| format!("{}\n", str::from_utf8(line).unwrap()))
            .collect()
    };
    let quality: String = (0..310).map(|i| ["@", "+", "I", ">", "F"][(i / 2) % 5]).collect();
    let fasta: String = (0..3).map(|i| format!(">r{i} d\n{}\n", letters(i))).collect();
    let wrapped: String = (0..3).map(|i| format!(">r{i}\n{}", fold(&letters(i)))).collect();
    let fastq: String = (0..3).map(|i| format!("@r{i}\n{}\n+\n{quality}\n", letters(i))).collect();
    let wrapped_fastq: String =
        (0..3).map(|i| format!("@r{i}\n{}+\n{}", fold(&letters(i)), fold(&quality))).collect();
    let odd = ">a\n>a\nAC\n\n>c\r\nACGU-N.\r\n>caf\u{e9}\tx\nacgt\n>e\nMKVLE\n>f\n".to_owned();
    let plain = fasta.as_bytes();
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(plain).unwrap();
    let gzip = gzip.finish().unwrap();
    let halves = plain.split_at(plain.len() / 2);
    let mut bzip2 = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::fast());
    bzip2.write_all(plain).unwrap();
    let xz = lzma_rust2::XzOptions::with_preset(0);
    let mut xz = lzma_rust2::XzWriter::new(Vec::new(), xz).unwrap();
    xz.write_all(plain).unwrap();
    vec![
        fasta.clone().into_bytes(),
        wrapped.into_bytes(),
        fastq.into_bytes(),
        wrapped_fastq.into_bytes(),
        odd.into_bytes(),
        [gzip.as_slice(), &[0; 40]].concat(),
        [bgzf(halves.0), bgzf(halves.1), bgzf(b"")].concat(),
        [bgzf(halves.0), bgzf(halves.1)].concat(),
        bzip2.finish().unwrap(),
        xz.finish().unwrap(),
        zstd::encode_all(plain, 1).unwrap(),
    ]
}

/// SplitMix64.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((z ^ (z >> 31)) % limit as u64) as usize
    }

    /// One to three changes: other bytes, fewer, more, twice, in another order.
    fn mutate(&mut self, bytes: &mut Vec<u8>) {
        const INTERESTING: &[u8] = b"\n\r@+> \t\0*\xffNEA";
        for _ in 0..=self.below(3) {
            if bytes.is_empty() {
                return;
            }
            let at = self.below(bytes.len());
            let end = (at + 1 + self.below(80)).min(bytes.len());
            match self.below(7) {
                0 => bytes[at] ^= 1 << self.below(8),
                1 => bytes[at] = INTERESTING[self.below(INTERESTING.len())],
                2 => bytes.truncate(at),
                3 => bytes.insert(at, INTERESTING[self.below(INTERESTING.len())]),
                4 => drop(bytes.drain(at..end)),
                5 => {
                    let piece = bytes[at..end].to_vec();
                    let to = self.below(bytes.len());
                    bytes.splice(to..to, piece);
                }
                _ => bytes.rotate_left(at),
            }
        }
    }
}

#[test]
fn validate_and_predict_agree_on_every_kind_of_file() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("in");
    for (number, file) in originals().iter().enumerate() {
        let lacks_end = number == 7;
        assert!(check(&path, file, false), "file {number}");
        assert_eq!(check(&path, file, true), !lacks_end, "file {number}");
    }
}

#[test]
fn validate_and_predict_agree_on_two_thousand_damaged_files() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("in");
    let originals = originals();
    let mut random = Random(15);
    let accepted = (0..2_000)
        .filter(|number| {
            let mut file = originals[number % originals.len()].clone();
            random.mutate(&mut file);
            check(&path, &file, number % 4 == 0)
        })
        .count();
    // Both answers occur often.
    assert!((400..1_600).contains(&accepted), "{accepted} of 2,000 accepted");
}
