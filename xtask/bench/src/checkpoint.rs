//! What is written and read.

use anyhow::Result;
use vnp_ckpt::{Checkpoint, RowRange, Tensor};

use super::ROWS;

/// Values of a row: both embeddings of the full models.
const WIDTH: usize = 3328;

/// A checkpoint `[10000, 3328]` of floats that no compressor likes, with ids.
pub(crate) fn checkpoint() -> Result<Checkpoint> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let values = (0..ROWS * WIDTH).map(|_| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        // 24 bits: a float below 1.
        (state >> 40) as f32 / (1_u32 << 24) as f32 - 0.5
    });
    let tensor = Tensor::from_f32([ROWS, WIDTH], values.collect())?;
    let checkpoint = Checkpoint::builder("merged")
        .rows(RowRange::new(0, ROWS as u64))
        .ids((0..ROWS).map(|row| format!("read{}_chunk_1F{}", row / 6, row % 3 + 1)).collect())
        .tensor("data", tensor)
        .created("2026-01-31T23:59:59Z".to_owned())
        .build()?;
    Ok(checkpoint)
}
