//! Reading a file otherwise than as a whole: mapped, a few rows at a time, row by row.

use std::path::{Path, PathBuf};

use fs_err as fs;
use tempfile::TempDir;
use vnp_ckpt::{
    Checkpoint, CheckpointFile, Dtype, Error, ErrorKind, Limits, RowRange, Tensor, atomic_save,
};

use crate::support::{builder, encode, kind_in_file, sample};

fn saved(checkpoint: &Checkpoint) -> (TempDir, PathBuf) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("a.vnp");
    atomic_save(&path, checkpoint).unwrap();
    (directory, path)
}

fn open(path: &Path) -> Result<CheckpointFile, Error> {
    Checkpoint::open(path, &Limits::default())
}

fn pieces(path: &Path, rows: u64) -> Result<Vec<Checkpoint>, Error> {
    open(path)?.pieces(rows)?.collect()
}

/// Every type, a free tensor, one without elements, and metadata.
fn rich() -> Checkpoint {
    builder()
        .tensor("f32", Tensor::from_f32([3, 2], (0..6_u8).map(f32::from).collect()).unwrap())
        .free_tensor("free", Tensor::from_i16([3], vec![1, 2, 3]).unwrap())
        .tensor("i64", Tensor::from_i64([3, 1, 2], (0..6).collect()).unwrap())
        .tensor("nothing", Tensor::from_f64([3, 0], vec![]).unwrap())
        .tensor("bool", Tensor::from_bool([3], vec![true, false, true]).unwrap())
        .metadata("device", "cpu")
        .build()
        .unwrap()
}

#[test]
fn a_mapped_file_is_what_a_loaded_one_is() {
    for checkpoint in [sample(), rich(), Checkpoint::builder("k").build().unwrap()] {
        let (_directory, path) = saved(&checkpoint);
        let mapped = open(&path).unwrap().map().unwrap();
        assert_eq!(mapped, checkpoint);
        assert_eq!(encode(&mapped), fs::read(&path).unwrap());
    }
}

#[test]
fn a_mapped_file_outlives_its_name() {
    let (directory, path) = saved(&sample());
    let mapped = open(&path).unwrap().map().unwrap();
    let tensor = mapped.tensor("embedding").unwrap().clone();
    atomic_save(&path, &rich()).unwrap();
    assert_eq!(mapped, sample());
    drop((mapped, directory));
    assert_eq!(tensor.as_f32().unwrap()[2], 1.5);
}

#[test]
fn what_is_no_file_of_its_own_is_loaded() {
    let bytes = encode(&sample());
    let length = bytes.len() as u64;
    let input = std::io::Cursor::new(bytes);
    let file = vnp_ckpt::open_reader(Path::new("a.vnp"), input, length, &Limits::default());
    assert_eq!(file.unwrap().map().unwrap(), sample());
}

#[test]
fn every_flipped_bit_is_found() {
    let (_directory, path) = saved(&sample());
    let whole = fs::read(&path).unwrap();
    let refused = |read: Result<Checkpoint, Error>, what: &str| match read {
        Err(error) if error.is_corrupted() || error.is_incompatible() => {}
        other => panic!("{what}: {other:?}"),
    };
    for index in 0..whole.len() {
        let mut bytes = whole.clone();
        bytes[index] ^= 1 << (index % 8);
        fs::write(&path, &bytes).unwrap();
        refused(open(&path).and_then(CheckpointFile::map), &format!("map, byte {index}"));
        let piece = pieces(&path, 2).map(|mut pieces| pieces.remove(0));
        refused(piece, &format!("pieces, byte {index}"));
    }
}

#[test]
fn a_file_that_shrinks_before_it_is_mapped() {
    let (_directory, path) = saved(&sample());
    let file = open(&path).unwrap();
    let length = fs::metadata(&path).unwrap().len();
    fs::OpenOptions::new().write(true).open(&path).unwrap().set_len(length - 64).unwrap();
    let Err(ErrorKind::Truncated { expected_bytes, found_bytes, .. }) = kind_in_file(file.map())
    else {
        panic!("a file that shrank was mapped")
    };
    assert_eq!((expected_bytes, found_bytes), (length, length - 64));
}

#[track_caller]
fn check_pieces(checkpoint: &Checkpoint, rows: u64, expected: &[(u64, u64)]) {
    let (_directory, path) = saved(checkpoint);
    let found = pieces(&path, rows).unwrap();
    let ranges: Vec<_> = found.iter().map(|p| (p.rows().start, p.rows().end)).collect();
    assert_eq!(ranges, expected);
    let mut all = checkpoint.iter_rows();
    for piece in &found {
        assert_eq!((piece.kind(), piece.metadata()), (checkpoint.kind(), checkpoint.metadata()));
        let (_directory, again) = saved(piece);
        assert_eq!(open(&again).unwrap().load().unwrap(), *piece, "a piece is a checkpoint");
        for row in piece.iter_rows() {
            let expected = all.next().unwrap();
            assert_eq!((row.number(), row.id()), (expected.number(), expected.id()));
            for (name, _) in piece.tensors() {
                assert_eq!(row.bytes(name).unwrap(), expected.bytes(name).unwrap(), "{name}");
            }
        }
    }
    assert!(all.next().is_none());
}

#[test]
fn pieces_cover_the_rows() {
    check_pieces(&rich(), 1, &[(8, 9), (9, 10), (10, 11)]);
    check_pieces(&rich(), 0, &[(8, 9), (9, 10), (10, 11)]);
    check_pieces(&rich(), 2, &[(8, 10), (10, 11)]);
    check_pieces(&rich(), 3, &[(8, 11)]);
    check_pieces(&rich(), u64::MAX, &[(8, 11)]);
    check_pieces(&Checkpoint::builder("k").build().unwrap(), 5, &[]);
}

#[test]
fn pieces_hold_the_row_tensors() {
    let (_directory, path) = saved(&rich());
    let found = pieces(&path, 2).unwrap();
    let shapes: Vec<_> = found[1].tensors().map(|(name, t)| (name, t.shape().to_vec())).collect();
    let expected = [("f32", vec![1, 2]), ("i64", vec![1, 1, 2]), ("nothing", vec![1, 0])];
    assert_eq!(shapes[..3], expected);
    assert_eq!(shapes[3..], [("bool", vec![1])]);
}

#[test]
fn a_file_that_changes_between_its_pieces_is_found() {
    let rows = 64;
    let checkpoint = Checkpoint::builder("k")
        .rows(RowRange::new(0, rows))
        .ids((0..rows).map(|row| row.to_string()).collect())
        .tensor("t", Tensor::from_u8([rows as usize, 64], vec![7; 64 * 64]).unwrap())
        .build()
        .unwrap();
    let (_directory, path) = saved(&checkpoint);
    let mut bytes = fs::read(&path).unwrap();
    let mut pieces = open(&path).unwrap().pieces(16).unwrap();
    assert_eq!(pieces.next().unwrap().unwrap().rows(), RowRange::new(0, 16));
    let index = bytes.len() - 64 * 17;
    bytes[index] ^= 1;
    fs::write(&path, bytes).unwrap();
    assert_eq!(pieces.next().unwrap().unwrap().rows(), RowRange::new(16, 32));
    let Some(Err(ErrorKind::DigestMismatch { section, .. })) = pieces.next().map(kind_in_file)
    else {
        panic!("a changed piece was given away")
    };
    assert_eq!(section, "t");
    assert!(pieces.next().is_none(), "there is no way on after an error");
}

#[test]
fn rows_are_typed() {
    let checkpoint = rich();
    let rows: Vec<_> = checkpoint.iter_rows().collect();
    assert_eq!(rows.len(), 3);
    assert_eq!((rows[2].number(), rows[2].id()), (10, "b|\n\0"));
    assert_eq!(rows[2].values::<f32>("f32").unwrap(), [4.0, 5.0]);
    assert_eq!(rows[1].values::<i64>("i64").unwrap(), [2, 3]);
    assert_eq!(rows[1].values::<f64>("nothing").unwrap(), [0.0; 0]);
    assert_eq!(rows[1].bytes("bool").unwrap(), [0]);
    let Err(ErrorKind::WrongDtype { expected: Dtype::U8, found: Dtype::Bool }) =
        rows[0].values::<u8>("bool").map_err(Error::into_kind)
    else {
        panic!("truth values were read as numbers")
    };
    for name in ["free", "ids", "other"] {
        let Err(ErrorKind::NoSuchTensor { name: found }) =
            rows[0].bytes(name).map_err(Error::into_kind)
        else {
            panic!("{name} has rows")
        };
        assert_eq!(found, name);
    }
}

#[test]
fn rows_come_from_both_ends() {
    let checkpoint = rich();
    let numbers = |rows: vnp_ckpt::Rows<'_>| rows.map(|row| row.number()).collect::<Vec<_>>();
    let mut rows = checkpoint.iter_rows();
    assert_eq!(rows.len(), 3);
    assert_eq!(rows.next_back().map(|row| row.number()), Some(10));
    assert_eq!(rows.nth(1).map(|row| row.number()), Some(9));
    assert!(numbers(rows).is_empty());
    assert_eq!(numbers(checkpoint.iter_rows()), [8, 9, 10]);
}
