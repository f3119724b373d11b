//! Writes and reads a checkpoint like a tool that depends on nothing else of this repository.

use vnp_ckpt::{Checkpoint, Error, Limits, RowRange, Tensor, atomic_save};

fn main() -> Result<(), Error> {
    let path = std::env::temp_dir().join(format!("outside-{}.vnp", std::process::id()));
    let checkpoint = Checkpoint::builder("protein")
        .rows(RowRange::new(0, 2))
        .ids(vec!["a".into(), "b".into()])
        .tensor("embedding", Tensor::from_f32([2, 2], vec![0.0, 1.0, 2.0, 3.0])?)
        .build()?;
    atomic_save(&path, &checkpoint)?;
    let read = Checkpoint::open(&path, &Limits::default())?.load()?;
    for row in read.iter_rows() {
        println!("{} {:?}", row.id(), row.values::<f32>("embedding")?);
    }
    // The system cleans its temporary directory: a file that stays is not a failure.
    let _ = std::fs::remove_file(&path);
    assert_eq!(read, checkpoint);
    Ok(())
}
