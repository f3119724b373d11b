//! Files of our own format, compared with the limits of the machine.

use std::path::Path;

use anyhow::{Context, Result};
use vnp_ckpt::{Checkpoint, Dtype, Limits, atomic_save, load_with_compatibility, verify_digests};

use super::limits;
use crate::checkpoint::checkpoint;
use crate::pairs::Report;

/// How many rows are streamed at a time.
const PIECE_ROWS: usize = 256;

/// Times saves, loads and their parts.
pub(super) fn run(dir: &Path, report: &mut Report) -> Result<()> {
    let checkpoint = checkpoint()?;
    let (path, raw) = (dir.join("ours.vnp"), dir.join("raw.bin"));
    atomic_save(&path, &checkpoint)?;
    let bytes = fs_err::read(&path)?;
    let mut memory = vec![1; bytes.len()];
    report.title(&format!("10,000 x 3328 f32 with ids, {} bytes", bytes.len()))?;

    report.pair(
        ("atomic_save, verified", Some(1.15)),
        || Ok(atomic_save(&path, &checkpoint)?),
        "raw atomic replace",
        || limits::replace(&raw, &bytes),
    )?;
    report.pair(
        ("CheckpointWriter, 256 rows a time", None),
        || stream(&path, &checkpoint),
        "raw write + fsync",
        || limits::write(&raw, &bytes),
    )?;
    let read_limits = Limits::default();
    let open = || Checkpoint::open(&path, &read_limits);
    report.pair(
        ("load, verified", Some(2.5)),
        || Ok(load_with_compatibility(&path, &read_limits)?),
        "memcpy into touched memory",
        || limits::copy(&bytes, &mut memory),
    )?;
    let digest = || limits::map_and_digest(&path);
    let digest_name = "mmap + digest";
    report.pair(("map, verified", Some(1.3)), || Ok(open()?.map()?), digest_name, digest)?;
    let verify = || Ok(verify_digests(&path, &read_limits)?);
    report.pair(("verify_digests", None), verify, digest_name, digest)?;
    let pieces = || {
        let pieces = open()?.pieces(PIECE_ROWS as u64)?;
        pieces.into_iter().try_for_each(|piece| Ok(piece.map(drop)?))
    };
    report.pair(("pieces of 256 rows, verified", None), pieces, digest_name, digest)?;
    report.pair(("open, header only", None), || Ok(open()?), digest_name, digest)
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
