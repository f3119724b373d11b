//! Random contigs and alignments: what comes of them equals, byte for byte, what an implementation in
//! Python makes of them, which was written from the definition alone.
//!
//! `VNP_REFERENCE=full` tries 10,000 contigs and 100,000 alignments of each kind, otherwise a tenth.

use std::io::{Read, Write};
use std::path::Path;
use std::process::Command;

use vnp_calls::{
    AlignmentFormat, CallOptions, ContigTable, GroupPattern, KeepCalls, ReadsOptions, call_reads,
};
use vnp_job::{Input, StopFlag};

/// The cases, made by Python; none without Python.
fn cases(dir: &Path) -> Option<Vec<Vec<String>>> {
    let full = std::env::var_os("VNP_REFERENCE").is_some_and(|value| value == "full");
    let (contigs, alignments) = if full { ("10000", "100000") } else { ("1000", "10000") };
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/reference/calls.py");
    let mut python = Command::new("python3");
    python.arg(script).arg(dir).args(["17", contigs, alignments]);
    match python.output() {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            println!("skipped: there is no python3");
            None
        }
        output => {
            let output = output.unwrap();
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
            let text = std::fs::read_to_string(dir.join("cases.tsv")).unwrap();
            let row = |line: &str| line.split('\t').map(str::to_owned).collect();
            Some(text.lines().map(row).collect())
        }
    }
}

#[test]
fn calls_equal_those_of_the_reference() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let Some(cases) = cases(dir) else { return };
    for case in &cases {
        let [kind, name, input, expected, pattern, numbers @ ..] = case.as_slice() else {
            panic!("{case:?}")
        };
        let pattern: Option<GroupPattern> = (!pattern.is_empty()).then(|| pattern.parse().unwrap());
        let expected = std::fs::read(dir.join(expected)).unwrap();
        if kind == "contigs" {
            let found = contigs(dir, input, pattern, numbers);
            compare(&found, &expected, &format!("{kind} {name}"));
        } else {
            let keep = std::fs::read(dir.join(format!("keep-{name}.txt"))).unwrap();
            for form in ["plain", "gzip", "zstd", "stream"] {
                let (found, kept) = reads(dir, input, pattern.clone(), numbers, form);
                compare(&found, &expected, &format!("{kind} {name} {form}"));
                compare(&kept, &keep, &format!("kept {name} {form}"));
            }
        }
    }
    let is_temporary = |name: &str| name.starts_with(['.', '-']) || name.starts_with("standard");
    let left = std::fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().file_name());
    assert_eq!(left.filter(|name| is_temporary(&name.to_string_lossy())).count(), 0);
    println!("{} cases", cases.len());
}

/// The table of the contigs whose chunks a file lists.
fn contigs(dir: &Path, input: &str, pattern: Option<GroupPattern>, numbers: &[String]) -> Vec<u8> {
    let options = CallOptions {
        min_viral_proportion: numbers[0].parse().unwrap(),
        min_nonviral_proportion: numbers[1].parse().unwrap(),
        min_chunks: numbers[2].parse().unwrap(),
    };
    let mut table = match pattern {
        None => ContigTable::new(Vec::new(), options).unwrap(),
        Some(pattern) => ContigTable::grouped(Vec::new(), options, pattern, dir).unwrap(),
    };
    let score = |hex: &[u8]| {
        let hex = str::from_utf8(hex).unwrap();
        f32::from_bits(u32::from_str_radix(hex, 16).unwrap())
    };
    let text = std::fs::read(dir.join(input)).unwrap();
    let mut record = None;
    for line in text.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
        let fields: Vec<&[u8]> = line.split(|byte| *byte == b'\t').collect();
        if record.replace(fields[0]) != Some(fields[0]) {
            table.begin_record(fields[1]).unwrap();
        }
        // 0 stands for a record without scored chunks.
        let number: u64 = str::from_utf8(fields[2]).unwrap().parse().unwrap();
        if number > 0 {
            table.chunk(number, score(fields[3]), score(fields[4])).unwrap();
        }
    }
    table.finish().unwrap().0
}

/// The table of reads, and the list of those to keep.
fn reads(
    dir: &Path,
    input: &str,
    pattern: Option<GroupPattern>,
    numbers: &[String],
    form: &str,
) -> (Vec<u8>, Vec<u8>) {
    let text = std::fs::read(dir.join(input)).unwrap();
    let calls = if pattern.is_some() { "calls-groups.tsv" } else { "calls-records.tsv" };
    let (path, output, keep_ids) = (dir.join("in.paf"), dir.join("out.tsv"), dir.join("keep.txt"));
    let input = match form {
        "gzip" => {
            // Of several members, as bgzip and cat make them.
            let mut bytes = Vec::new();
            for piece in text.chunks(text.len() / 3 + 1) {
                let level = flate2::Compression::fast();
                let mut encoder = flate2::write::GzEncoder::new(&mut bytes, level);
                encoder.write_all(piece).unwrap();
                encoder.finish().unwrap();
            }
            std::fs::write(&path, bytes).unwrap();
            Input::File(path)
        }
        "zstd" => {
            std::fs::write(&path, zstd::encode_all(text.as_slice(), 1).unwrap()).unwrap();
            Input::File(path)
        }
        "stream" => {
            let stream: Box<dyn Read + Send> = Box::new(std::io::Cursor::new(text));
            Input::Stream(stream)
        }
        _ => {
            std::fs::write(&path, text).unwrap();
            Input::File(path)
        }
    };
    let options = ReadsOptions {
        pattern,
        min_mapq: numbers[0].parse().unwrap(),
        min_identity_percent: numbers[1].parse().unwrap(),
        min_query_cov_percent: numbers[2].parse().unwrap(),
        collapse_mates: numbers[3] == "1",
        keep: KeepCalls::default(),
    };
    let (calls, stop) = (dir.join(calls), StopFlag::default());
    let paf = AlignmentFormat::Paf;
    call_reads(&calls, input, paf, &options, &output, Some(&keep_ids), &stop).unwrap();
    (std::fs::read(output).unwrap(), std::fs::read(keep_ids).unwrap())
}

#[track_caller]
fn compare(found: &[u8], expected: &[u8], what: &str) {
    let lines = |text: &[u8]| {
        text.split(|byte| *byte == b'\n')
            .map(|line| String::from_utf8_lossy(line).into_owned())
            .collect::<Vec<_>>()
    };
    let (found, expected) = (lines(found), lines(expected));
    for (row, (found, expected)) in found.iter().zip(&expected).enumerate() {
        assert_eq!(found, expected, "{what}, row {row}");
    }
    assert_eq!(found.len(), expected.len(), "{what}");
}
