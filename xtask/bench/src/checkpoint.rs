//! The checkpoint that is written and read in benches: as large as a part of a run.

use anyhow::Result;
use vnp_ckpt::{Checkpoint, RowRange, Tensor};

use crate::draw::Draw;

/// Rows of the checkpoint.
pub(crate) const ROWS: usize = 10_000;
/// Values in a row: both embeddings of the full models.
const WIDTH: usize = 3328;

/// A checkpoint `[10000, 3328]` of random floats, with ids.
pub(crate) fn checkpoint() -> Result<Checkpoint> {
    let mut draw = Draw::new("checkpoint");
    let values = (0..ROWS * WIDTH).map(|_| draw.fraction() - 0.5).collect();
    let checkpoint = Checkpoint::builder("merged")
        .rows(RowRange::new(0, ROWS as u64))
        .ids((0..ROWS).map(|row| format!("read{}_chunk_1F{}", row / 6, row % 3 + 1)).collect())
        .tensor("data", Tensor::from_f32([ROWS, WIDTH], values)?)
        .created("2026-01-31T23:59:59Z".to_owned())
        .build()?;
    Ok(checkpoint)
}
