//! Frames against those of the original, byte for byte.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use vnp_seq::{ChunkLength, FrameReader, FrameRow, write_nucleotide_fasta, write_protein_fasta};

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/orfs").join(name)
}

/// A path below the shared folder, or a printed reason why the test is skipped.
fn shared(name: &str) -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared").join(name);
    if !path.exists() {
        // Past the test harness, which swallows what a passing test prints.
        drop(writeln!(std::io::stderr(), "skipped: no {name} (../shared is not here)"));
        return None;
    }
    Some(path)
}

fn rows(input: &Path, chunk_bp: u32) -> Vec<FrameRow> {
    let length = ChunkLength::new(chunk_bp).unwrap();
    let mut reader = FrameReader::open(&[input.to_owned()], length).unwrap();
    let mut rows = Vec::new();
    while let Some(block) = reader.next_block().unwrap() {
        rows.extend(block.rows);
    }
    rows
}

fn check(input: &Path, chunk_bp: u32, nucleotide: &Path, protein: &Path) {
    let rows = rows(input, chunk_bp);
    let (mut found_nucleotide, mut found_protein) = (Vec::new(), Vec::new());
    write_nucleotide_fasta(&mut found_nucleotide, &rows).unwrap();
    write_protein_fasta(&mut found_protein, &rows).unwrap();
    assert!(found_nucleotide == fs::read(nucleotide).unwrap(), "{}", nucleotide.display());
    assert!(found_protein == fs::read(protein).unwrap(), "{}", protein.display());
}

#[test]
fn awkward_records_give_the_frames_of_the_original() {
    for chunk_bp in [300, 500] {
        check(
            &fixture("awkward.fa"),
            chunk_bp,
            &fixture(&format!("awkward_{chunk_bp}_nucleotide.fa")),
            &fixture(&format!("awkward_{chunk_bp}_protein.faa")),
        );
    }
}

#[test]
fn a_real_run_of_the_original_is_reproduced() {
    let Some(run) = shared("golden/virnucpro-0.x/test_with_orfs") else {
        return;
    };
    check(
        &run.join("test_with_orfs.fa"),
        500,
        &run.join("test_with_orfs_identified_nucleotide.fa"),
        &run.join("test_with_orfs_identified_protein.faa"),
    );
}

#[test]
fn rows_come_in_the_order_of_the_original_results() {
    let Some(parity) = shared("parity") else {
        return;
    };
    let results = fs::read_to_string(parity.join("e2e_prediction_results.txt")).unwrap();
    let expected: Vec<_> =
        results.lines().skip(1).map(|line| line.split('\t').next().unwrap()).collect();
    let rows = rows(&parity.join("e2e.fa"), 500);
    let found: Vec<_> = rows.iter().map(|row| row.id.as_str()).collect();
    assert_eq!(found, expected);
    assert!(found.len() > 50);
}
