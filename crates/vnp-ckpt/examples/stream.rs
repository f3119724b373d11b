//! Writes a checkpoint that is never in memory as a whole, and reads it back row by row:
//! `cargo run -p vnp-ckpt --example stream -- part.vnp`.

#![expect(clippy::print_stdout, reason = "an example that shows what it read")]

use std::path::Path;

use vnp_ckpt::{Checkpoint, Dtype, Error, Limits, RowRange};

const ROWS: u64 = 10_000;
const WIDTH: usize = 64;
const ROWS_AT_A_TIME: u64 = 1_000;

fn main() -> Result<(), Error> {
    let path = std::env::args_os().nth(1).unwrap_or_else(|| "part.vnp".into());
    let path = Path::new(&path);

    // The ids are known first; the rows come as they are computed.
    let mut writer = Checkpoint::builder("protein")
        .rows(RowRange::new(0, ROWS))
        .ids((0..ROWS).map(|row| format!("read{row}_chunk_1F1")).collect())
        .streamed_tensor("embedding", Dtype::F32, [WIDTH])
        .streamed_tensor("status", Dtype::U8, [])
        .create(path)?;
    for row in 0..ROWS {
        writer.append("embedding", &[row as f32; WIDTH])?;
        writer.append("status", &[0_u8])?;
    }
    // Until here there is no such file; from here on there is, verified and on disk.
    writer.finish()?;

    let mut sum = 0.0;
    for piece in Checkpoint::open(path, &Limits::default())?.pieces(ROWS_AT_A_TIME)? {
        for row in piece?.iter_rows() {
            sum +=
                row.values::<f32>("embedding")?.iter().map(|&value| f64::from(value)).sum::<f64>();
        }
    }
    println!("{ROWS} rows, their mean {}", sum / (ROWS as f64 * WIDTH as f64));
    Ok(())
}
