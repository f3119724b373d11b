//! What is written piece by piece is what is saved at once.

use std::path::Path;

use fs_err as fs;
use vnp_ckpt::{
    Checkpoint, CheckpointBuilder, CheckpointWriter, Dtype, Error, ErrorKind, Limits, Tensor,
    atomic_save, load_with_compatibility,
};

use crate::support::{builder, encode, sample};

/// Long enough rows for more than one buffer of the writer.
const WIDTH: usize = 20_000;

fn embedding() -> Vec<f32> {
    (0..3 * WIDTH).map(|place| place as f32).collect()
}

fn weights() -> Tensor {
    Tensor::from_f64([2], vec![0.5, f64::NAN]).unwrap()
}

fn whole() -> Checkpoint {
    builder()
        .tensor("embedding", Tensor::from_f32([3, WIDTH], embedding()).unwrap())
        .free_tensor("weights", weights())
        .tensor("flag", Tensor::from_bool([3, 1], vec![true, false, true]).unwrap())
        .tensor("nothing", Tensor::from_i64([3, 0], vec![]).unwrap())
        .tensor("status", Tensor::from_u8([3], vec![7, 8, 9]).unwrap())
        .build()
        .unwrap()
}

fn streamed() -> CheckpointBuilder {
    builder()
        .streamed_tensor("embedding", Dtype::F32, [WIDTH])
        .free_tensor("weights", weights())
        .tensor("flag", Tensor::from_bool([3, 1], vec![true, false, true]).unwrap())
        .streamed_tensor("nothing", Dtype::I64, [0])
        .streamed_tensor("status", Dtype::U8, [])
}

#[track_caller]
fn check(write: impl FnOnce(&mut CheckpointWriter) -> Result<(), Error>) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("a.vnp");
    let mut writer = streamed().create(&path).unwrap();
    write(&mut writer).unwrap();
    assert!(!path.exists(), "there before it is finished");
    writer.finish().unwrap();
    assert_eq!(fs::read(&path).unwrap(), encode(&whole()));
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);
}

#[test]
fn the_bytes_are_those_of_a_save() {
    let all = embedding();
    check(|writer| {
        writer.append("embedding", &all)?;
        writer.append("status", &[7_u8, 8, 9])
    });
    check(|writer| {
        all.chunks(WIDTH).zip([7_u8, 8, 9]).try_for_each(|(row, status)| {
            writer.append("embedding", row)?;
            writer.append("status", &[status])
        })
    });
    check(|writer| {
        writer.append("status", &[7_u8, 8])?;
        writer.append("nothing", &[0_i64; 0])?;
        writer.append_tensor("embedding", &Tensor::from_f32([3, WIDTH], all.clone())?)?;
        writer.append("embedding", &[0_f32; 0])?;
        writer.append_tensor("status", &Tensor::from_u8([1], vec![9])?)
    });
}

#[test]
fn what_is_whole_needs_no_rows() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("a.vnp");
    let build = || builder().tensor("t", Tensor::from_u8([3], vec![1, 2, 3]).unwrap());
    build().create(&path).unwrap().finish().unwrap();
    assert_eq!(fs::read(&path).unwrap(), encode(&build().build().unwrap()));
    Checkpoint::builder("k").create(&path).unwrap().finish().unwrap();
    assert_eq!(load_with_compatibility(&path, &Limits::default()).unwrap().rows().len(), 0);
}

#[test]
fn rows_are_counted() {
    let directory = tempfile::tempdir().unwrap();
    let mut writer = streamed().create(&directory.path().join("a.vnp")).unwrap();
    assert_eq!(writer.rows_left("embedding"), Some(3));
    writer.append("embedding", &vec![0_f32; 2 * WIDTH]).unwrap();
    let left = ["embedding", "status", "flag", "nothing", "weights", "ids", "other"]
        .map(|name| writer.rows_left(name));
    assert_eq!(left, [Some(1), Some(3), Some(0), Some(0), None, None, None]);
}

/// The writer must refuse, and the file that was there must still be.
#[track_caller]
fn refused(write: impl FnOnce(&mut CheckpointWriter) -> Result<(), Error>) -> Error {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("a.vnp");
    atomic_save(&path, &sample()).unwrap();
    let mut writer = streamed().create(&path).unwrap();
    let error = match write(&mut writer) {
        Err(error) => {
            drop(writer);
            error
        }
        Ok(()) => writer.finish().unwrap_err(),
    };
    assert_eq!(load_with_compatibility(&path, &Limits::default()).unwrap(), sample());
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1, "something is left");
    error
}

#[track_caller]
fn check_inconsistent(
    write: impl FnOnce(&mut CheckpointWriter) -> Result<(), Error>,
    subject: &str,
    found: &str,
) {
    let error = refused(write);
    assert!(error.path().is_some());
    match error.into_kind() {
        ErrorKind::Inconsistent { subject: s, found: f, .. } => {
            assert_eq!((s.as_str(), f.as_str()), (subject, found));
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_does_not_fit_is_refused() {
    let row = vec![0_f32; WIDTH];
    let rows = "rows for tensor `embedding`";
    check_inconsistent(|w| w.append("embedding", &row[1..]), rows, "79996");
    check_inconsistent(|w| w.append("embedding", &row.repeat(4)), rows, "320000");
    check_inconsistent(|w| w.append("status", &[0_u8; 4]), "rows for tensor `status`", "4");
    check_inconsistent(
        |w| w.append("embedding", &row.repeat(2)),
        "rows of tensor `embedding`",
        "2",
    );
    let wide = Tensor::from_f32([1, 2, WIDTH / 2], row.clone()).unwrap();
    let shape = "shape of tensor `embedding`";
    check_inconsistent(|w| w.append_tensor("embedding", &wide), shape, "[1, 2, 10000]");
    let number = Tensor::from_u8([], vec![0]).unwrap();
    check_inconsistent(|w| w.append_tensor("status", &number), "shape of tensor `status`", "[]");
}

#[track_caller]
fn check_no_such(name: &str) {
    match refused(|writer| writer.append(name, &[0_f64])).into_kind() {
        ErrorKind::NoSuchTensor { name: found } => assert_eq!(found, name),
        other => panic!("{other:?}"),
    }
}

#[test]
fn only_row_tensors_are_appended_to() {
    check_no_such("other");
    check_no_such("ids");
    check_no_such("weights");
    let wrong = refused(|writer| writer.append("embedding", &vec![0_i32; WIDTH])).into_kind();
    let ErrorKind::WrongDtype { expected: Dtype::I32, found: Dtype::F32 } = wrong else {
        panic!("{wrong:?}")
    };
}

#[test]
fn a_streamed_tensor_cannot_be_built() {
    let built = streamed().build().map_err(Error::into_kind);
    let Err(ErrorKind::Inconsistent { subject, .. }) = built else {
        panic!("a tensor without values was built")
    };
    assert_eq!(subject, "tensor `embedding`");
}

#[track_caller]
fn check_not_created(builder: CheckpointBuilder, path: &Path) -> ErrorKind {
    builder.create(path).err().unwrap().into_kind()
}

#[test]
fn what_cannot_be_created_is_refused_at_once() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("a.vnp");
    let ids = check_not_created(streamed().ids(vec!["one".into()]), &path);
    let ErrorKind::Inconsistent { .. } = ids else { panic!("{ids:?}") };
    let huge = builder().streamed_tensor("t", Dtype::F64, [usize::MAX / 2]);
    let huge = check_not_created(huge, &path);
    let ErrorKind::LimitExceeded { limit: "total_bytes", .. } = huge else { panic!("{huge:?}") };
    let deep = check_not_created(builder().streamed_tensor("t", Dtype::F64, [1; 8]), &path);
    let ErrorKind::LimitExceeded { limit: "tensor_rank", .. } = deep else { panic!("{deep:?}") };
    let missing = check_not_created(streamed(), &directory.path().join("missing/a.vnp"));
    let ErrorKind::NotCommitted { .. } = missing else { panic!("{missing:?}") };
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 0);
}
