//! Reads one tensor and nothing else that is large:
//! `cargo run -p vnp-ckpt --example one_tensor -- part.vnp embedding`.

#![expect(clippy::print_stdout, reason = "an example that shows what it read")]

use std::path::Path;

use vnp_ckpt::{Checkpoint, Error, Limits};

fn main() -> Result<(), Error> {
    let mut arguments = std::env::args_os().skip(1);
    let path = arguments.next().unwrap_or_else(|| "part.vnp".into());
    let name = arguments.next().unwrap_or_else(|| "embedding".into());

    let mut file = Checkpoint::open(Path::new(&path), &Limits::default())?;
    match file.tensor(&name.to_string_lossy())? {
        Some(tensor) => {
            println!("{} {:?}", tensor.dtype(), tensor.shape());
            if let Some(index) = tensor.first_non_finite() {
                println!("element {index} is not finite");
            }
        }
        None => {
            let names = file.header().sections.iter().map(|section| section.name.as_str());
            println!("the file has only {}", names.collect::<Vec<_>>().join(", "));
        }
    }
    Ok(())
}
