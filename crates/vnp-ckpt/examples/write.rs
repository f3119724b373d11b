//! Writes a checkpoint of two rows: `cargo run -p vnp-ckpt --example write -- part.vnp`.

use std::path::Path;

use vnp_ckpt::{Checkpoint, Error, Producer, RowRange, Tensor, atomic_save};

fn main() -> Result<(), Error> {
    let path = std::env::args_os().nth(1).unwrap_or_else(|| "part.vnp".into());

    // One id and one row of the tensor for each of the rows [0, 2).
    let ids = vec!["read1_chunk_1F1".to_owned(), "read1_chunk_1R2".to_owned()];
    let embedding = Tensor::from_f32([2, 4], vec![0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8])?;

    let checkpoint = Checkpoint::builder("nucleotide")
        .rows(RowRange::new(0, 2))
        .ids(ids)
        .tensor("embedding", embedding)
        .metadata("expected_length", 500)
        .producer(Producer { name: "my-tool".into(), version: "0.1.0".into() })
        .build()?;
    atomic_save(Path::new(&path), &checkpoint)
}
