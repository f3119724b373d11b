//! Reads a checkpoint and prints its contents: `cargo run -p vnp-ckpt --example read -- part.vnp`.

#![expect(clippy::print_stdout, reason = "an example that shows what it read")]

use std::path::Path;

use vnp_ckpt::{Error, Limits, load_with_compatibility, read_header};

fn main() -> Result<(), Error> {
    let path = std::env::args_os().nth(1).unwrap_or_else(|| "part.vnp".into());
    let (path, limits) = (Path::new(&path), Limits::default());

    // The header alone, however large the file.
    let header = read_header(path, &limits)?;
    println!("version {} {} {} rows {}", header.version, header.status, header.kind, header.rows);

    // Everything, verified.
    let checkpoint = load_with_compatibility(path, &limits)?;
    for (name, tensor) in checkpoint.tensors() {
        println!("{name}: {} {:?}", tensor.dtype(), tensor.shape());
    }
    for id in checkpoint.ids().iter().take(3) {
        println!("{id}");
    }
    Ok(())
}
