//! Blocks joined are the plain computation, whatever their limits.

use super::*;
use crate::chunk::{ChunkPosition, chunk_ranges};
use crate::head::RecordHead;
use crate::orf::find_orfs;
use crate::orfless_chunk::{OrflessChunk, orfless_text};
use crate::outcome::{FrameRow, RecordChunk, RecordStatus};
use proptest::prelude::*;
use std::sync::Arc;

/// Rows and outcomes of a FASTA text, with the sizes of its blocks.
fn read(fasta: &str, chunk_bp: u32, limits: BlockLimits) -> (Block, Vec<(usize, usize)>, Counts) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("in.fa");
    std::fs::write(&path, fasta).unwrap();
    let length = ChunkLength::new(chunk_bp).unwrap();
    let mut reader = FrameReader::open(&[path], length).unwrap();
    // All but the shortest records pass through a file.
    reader.reader = reader.reader.map(|reader| reader.spilling_at(dir.path(), 20));
    let mut reader = reader.with_orfless_chunks().with_limits(limits);
    let mut all = Block::default();
    let mut sizes = Vec::new();
    while let Some(block) = reader.next_block().unwrap() {
        let mut chunks: Vec<_> =
            block.rows.iter().map(|row| (row.record.number, row.chunk)).collect();
        chunks.dedup();
        sizes.push((chunks.len(), block.records.len()));
        assert!(block.rows.iter().all(|row| {
            let of_row = |chunk: &RecordChunk| {
                (chunk.record.number, chunk.position) == (row.record.number, row.chunk)
            };
            block.chunks.iter().any(of_row)
        }));
        all.chunks.extend(block.chunks);
        all.rows.extend(block.rows);
        all.orfless.extend(block.orfless);
        all.records.extend(block.records);
    }
    assert!(reader.input_digest().is_some());
    assert_eq!(reader.next_block().unwrap(), None);
    (all, sizes, reader.progress())
}

/// The expected rows, computed in one thread without blocks.
fn naive(records: &[(String, String)], chunk_bp: u32) -> Block {
    let length = ChunkLength::new(chunk_bp).unwrap();
    let (mut rows, mut orfless, mut chunks) = (Vec::new(), Vec::new(), Vec::new());
    for (number, (id, sequence)) in records.iter().enumerate() {
        let number = number as u64;
        let head = RecordHead { number, id: id.clone(), ..RecordHead::default() };
        let record = Arc::new(head);
        for (i, range) in chunk_ranges(sequence.len(), length).enumerate() {
            let id = format!("{id}_chunk_{}", i + 1);
            let (start_bp, end_bp) = (range.start as u64, range.end as u64);
            let chunk = ChunkPosition { index: i as u32, start_bp, end_bp };
            chunks.push(RecordChunk { record: Arc::clone(&record), position: chunk });
            let text = sequence[range].as_bytes();
            let orfs = find_orfs(text);
            if let (true, Some(nucleotide)) = (orfs.is_empty(), orfless_text(text)) {
                let (id, record) = (id.clone(), Arc::clone(&record));
                orfless.push(OrflessChunk { id, record, chunk, nucleotide });
            }
            rows.extend(orfs.into_iter().map(|orf| FrameRow {
                id: format!("{id}{}", orf.frame),
                record: Arc::clone(&record),
                chunk,
                frame: orf.frame,
                nucleotide: orf.nucleotide,
                protein: orf.protein,
            }));
        }
    }
    Block { chunks, rows, orfless, records: Vec::new() }
}

fn check_status(sequence: &str, chunks: u64, frames: u64, expected: RecordStatus) {
    let (block, _, counts) =
        read(&format!(">r d\n{sequence}\n>next\nTCG\n"), 500, BlockLimits::default());
    let outcome = &block.records[0];
    assert_eq!((outcome.record.id.as_str(), outcome.record.number), ("r", 0));
    assert_eq!((outcome.chunks, outcome.frames), (chunks, frames), "{sequence}");
    assert_eq!(outcome.length_bp, sequence.len() as u64);
    assert_eq!(outcome.status, expected, "{sequence}");
    assert_eq!(block.records[1].status, RecordStatus::HasFrames);
    assert_eq!((counts.records, counts.frames), (2, frames + 2));
}

#[test]
fn every_record_has_an_outcome() {
    check_status("", 0, 0, RecordStatus::Empty);
    check_status("A", 1, 0, RecordStatus::TooShort);
    check_status("AC", 1, 0, RecordStatus::TooShort);
    check_status("TCG", 1, 2, RecordStatus::HasFrames);
    check_status("NNNNNNNN", 1, 0, RecordStatus::NoOrf);
    check_status("TTAATTAATTAA", 1, 0, RecordStatus::NoOrf);
    let reason = "letter 'E' at position 5 is not a nucleotide code: is this protein?";
    check_status("ACGTE", 0, 0, RecordStatus::Failed { reason: reason.into() });
}

#[test]
fn a_block_is_bounded_also_inside_one_record() {
    let fasta = format!(">long\n{}\n>next\nTCG\n", "GGC".repeat(10_000));
    let limits = BlockLimits { chunks: 7, ..BlockLimits::default() };
    let (block, sizes, counts) = read(&fasta, 100, limits);
    assert_eq!(sizes.iter().map(|(chunks, _)| *chunks).max(), Some(7));
    assert_eq!(counts.chunks, 301);
    assert_eq!(block.records[0].chunks_with_frames, 300);

    let limits = BlockLimits { bases: 250, ..BlockLimits::default() };
    assert_eq!(read(&fasta, 100, limits).1[0], (3, 0));
    let empty = ">e\n".repeat(10);
    let limits = BlockLimits { records: 4, ..BlockLimits::default() };
    assert_eq!(read(&empty, 100, limits).1, [(0, 4), (0, 4), (0, 2)]);
}

#[test]
fn chunks_without_an_orf_come_only_when_asked_for() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("in.fa");
    // Without an ORF, with one, unknown, too short; then a record with one of each of the first two.
    let text = ">c\nTTAATTAATTAA\n>o\nGCCGCC\n>n\nNNNNNN\n>s\nA\n>m\nTTAATTAATTAAGGCGGCGGCGGC\n";
    std::fs::write(&path, text).unwrap();
    let length = ChunkLength::new(12).unwrap();
    let open = || FrameReader::open(std::slice::from_ref(&path), length).unwrap();
    let plain = open().next_block().unwrap().unwrap();
    assert_eq!(plain.orfless, []);
    let all = open().with_orfless_chunks().next_block().unwrap().unwrap();
    let found: Vec<_> =
        all.orfless.iter().map(|chunk| (chunk.id.as_str(), chunk.record.number)).collect();
    assert_eq!(found, [("c_chunk_1", 0), ("m_chunk_1", 4)]);
    assert_eq!((all.rows, all.records), (plain.rows, plain.records));
}

#[test]
fn several_inputs_count_as_one() {
    let dir = tempfile::tempdir().unwrap();
    let paths: Vec<_> = ["a.fa", "empty.fa", "b.fq", "both.fa"].map(|n| dir.path().join(n)).into();
    std::fs::write(&paths[0], ">r1\nTCG\n").unwrap();
    std::fs::write(&paths[1], "").unwrap();
    std::fs::write(&paths[2], "@r2\nucga\n+\nIIII\n").unwrap();
    std::fs::write(&paths[3], ">r1\nTC\nG\n>r2\nTCGA").unwrap();
    let prepare = |inputs: &[PathBuf]| {
        let mut reader = FrameReader::open(inputs, ChunkLength::new(500).unwrap()).unwrap();
        let (mut rows, mut inputs) = (Vec::new(), Vec::new());
        while let Some(block) = reader.next_block().unwrap() {
            inputs.extend(block.records.iter().map(|outcome| outcome.record.input));
            rows.extend(block.rows.into_iter().map(|row| (row.id, row.record.number)));
        }
        ((rows, reader.progress(), reader.input_digest()), inputs)
    };
    let (split, inputs) = prepare(&paths[..3]);
    assert_eq!(split.0.last().map(|(_, record)| *record), Some(1));
    assert_eq!(inputs, [0, 2]);
    assert_eq!((split, vec![0, 0]), prepare(&paths[3..]));
    assert_eq!(prepare(&[]).0.1, Counts::default());
}

#[test]
fn a_missing_input_is_named_before_anything_is_read() {
    let dir = tempfile::tempdir().unwrap();
    let here = dir.path().join("here.fa");
    std::fs::write(&here, ">r\nA").unwrap();
    let gone = dir.path().join("gone.fa");
    let opened = FrameReader::open(&[here, gone.clone()], ChunkLength::new(3).unwrap());
    let Err(Error::Io { path, .. }) = opened else { panic!("opened") };
    assert_eq!(path, gone);
}

#[test]
fn after_an_error_there_is_neither_a_block_nor_a_digest() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("bad.fq");
    std::fs::write(&path, "@r1\nACG\n+\nII\n").unwrap();
    let mut reader = FrameReader::open(&[path], ChunkLength::new(3).unwrap()).unwrap();
    let Err(Error::Fastq { record, .. }) = reader.next_block() else { panic!("no error") };
    assert_eq!(record, 1);
    assert_eq!(reader.next_block().unwrap(), None);
    assert_eq!(reader.input_digest(), None);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn blocks_joined_are_the_plain_computation(
        records in proptest::collection::vec(("[a-c]{0,2}", "[ACGTN]{0,200}"), 0..8),
        chunk_bp in 3u32..60, chunks in 1usize..20, records_per_block in 1usize..5,
        bases in 1usize..500,
    ) {
        let fasta: String =
            records.iter().map(|(id, sequence)| format!(">{id}\n{sequence}\n")).collect();
        let limits = BlockLimits { chunks, records: records_per_block, bases };
        let (block, sizes, counts) = read(&fasta, chunk_bp, limits);
        let expected = naive(&records, chunk_bp);
        prop_assert_eq!(&block.rows, &expected.rows);
        prop_assert_eq!(&block.orfless, &expected.orfless);
        prop_assert_eq!(&block.chunks, &expected.chunks);
        prop_assert_eq!(block.records.len(), records.len());
        prop_assert!(sizes.iter().all(|size| size.0 <= chunks && size.1 <= records_per_block));
        prop_assert_eq!(counts.frames, block.rows.len() as u64);
    }
}
