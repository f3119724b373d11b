//! Files of our own, beside the limits of the machine.

use std::path::Path;

use anyhow::{Context, Result};
use vnp_ckpt::{Checkpoint, Dtype, Limits, atomic_save, load_with_compatibility, verify_digests};

use super::pairs::{Report, timed};
use super::{contents, limits};

/// How many rows a stream is written in.
const PIECE_ROWS: usize = 256;

/// Times saves, loads and what is between.
pub(crate) fn run(dir: &Path, report: &mut Report) -> Result<()> {
    let checkpoint = contents::checkpoint()?;
    let (path, raw) = (dir.join("ours.vnp"), dir.join("raw.bin"));
    atomic_save(&path, &checkpoint)?;
    let bytes = fs_err::read(&path)?;
    let mut memory = vec![1; bytes.len()];
    report.title(&format!("10,000 x 3328 f32 with ids, {} bytes", bytes.len()))?;

    let replace = "raw atomic replace";
    report.pair(
        ("atomic_save, verified", Some(1.15)),
        || timed(|| Ok(atomic_save(&path, &checkpoint)?)),
        replace,
        || timed(|| limits::replace(&raw, &bytes)),
    )?;
    report.pair(
        ("CheckpointWriter, 256 rows a time", None),
        || timed(|| stream(&path, &checkpoint)),
        "raw write + fsync",
        || timed(|| limits::write(&raw, &bytes)),
    )?;
    let limits = Limits::default();
    report.pair(
        ("load, verified", Some(2.5)),
        || timed(|| Ok(load_with_compatibility(&path, &limits)?)),
        "memcpy into touched memory",
        || timed(|| limits::copy(&bytes, &mut memory)),
    )?;
    let digest = "mmap + digest";
    report.pair(
        ("map, verified", Some(1.3)),
        || timed(|| Ok(Checkpoint::open(&path, &limits)?.map()?)),
        digest,
        || timed(|| limits::map_and_digest(&path)),
    )?;
    report.pair(
        ("verify_digests", None),
        || timed(|| Ok(verify_digests(&path, &limits)?)),
        digest,
        || timed(|| limits::map_and_digest(&path)),
    )?;
    report.pair(
        ("pieces of 256 rows, verified", None),
        || {
            timed(|| {
                let pieces = Checkpoint::open(&path, &limits)?.pieces(PIECE_ROWS as u64)?;
                pieces.into_iter().try_for_each(|piece| Ok(piece.map(drop)?))
            })
        },
        digest,
        || timed(|| limits::map_and_digest(&path)),
    )?;
    report.pair(
        ("open, header only", None),
        || timed(|| Ok(Checkpoint::open(&path, &limits)?)),
        digest,
        || timed(|| limits::map_and_digest(&path)),
    )
}

fn stream(path: &Path, checkpoint: &Checkpoint) -> Result<()> {
    let data = checkpoint.tensor("data").context("data")?;
    let width = data.shape().get(1).copied().context("width")?;
    let mut writer = Checkpoint::builder(checkpoint.kind())
        .rows(checkpoint.rows())
        .ids(checkpoint.ids().to_vec())
        .streamed_tensor("data", Dtype::F32, [width])
        .create(path)?;
    for rows in data.as_f32()?.chunks(PIECE_ROWS * width) {
        writer.append("data", rows)?;
    }
    Ok(writer.finish()?)
}
