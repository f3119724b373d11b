//! The two checkpoints that the tests save over each other.

use vnp_ckpt::{Checkpoint, Error, RowRange, Tensor};

/// Which of the two checkpoints of the tests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Which {
    /// The one that exists before the save.
    Old,
    /// The one that is saved over it.
    New,
}

/// Builds one of the two. They differ in length, take many pages, and are the same in every call.
///
/// # Errors
/// None: the two are well-formed.
pub fn sample(which: Which) -> Result<Checkpoint, Error> {
    let (rows, first, name) = match which {
        Which::Old => (200_u16, 0.5, "old"),
        Which::New => (251, -0.25, "new"),
    };
    let values = (0..u32::from(rows) * 64).map(|index| first + index as f32).collect();
    Checkpoint::builder("protein")
        .rows(RowRange::new(0, u64::from(rows)))
        .ids((0..rows).map(|row| format!("read{row}_chunk_1F1")).collect())
        .tensor("embedding", Tensor::from_f32([usize::from(rows), 64], values)?)
        .metadata("which", name)
        .created("2026-01-01T00:00:00Z".to_owned())
        .build()
}
