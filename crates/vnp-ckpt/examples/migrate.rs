//! Writes a `.vnp` beside every `.pt` of a directory, and changes nothing else:
//! `cargo run -p vnp-ckpt --example migrate -- DIR`.

#![expect(clippy::print_stdout, reason = "an example that shows what it did")]

use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use vnp_ckpt::{Checkpoint, Error, Limits, atomic_save};

fn main() -> io::Result<ExitCode> {
    let directory = std::env::args_os().nth(1).unwrap_or_else(|| ".".into());
    let mut failed = 0;
    for path in torch_files(Path::new(&directory))? {
        // A file that is damaged or not a checkpoint is reported, and the next one is read.
        match migrate(&path) {
            Ok(line) => println!("{line}"),
            Err(error) => {
                println!("{error:#}");
                failed += 1;
            }
        }
    }
    Ok(if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn migrate(path: &Path) -> Result<String, Error> {
    let file = Checkpoint::open(path, &Limits::default())?;
    let (version, integrity) = (file.header().version, file.integrity());
    let checkpoint = file.load()?;
    let target = path.with_extension("vnp");
    atomic_save(&target, &checkpoint)?;
    let (from, to, rows) = (path.display(), target.display(), checkpoint.rows().len());
    Ok(format!("{from} ({version}, {integrity:?}) -> {to}: {} rows {rows}", checkpoint.kind()))
}

/// The `.pt` and `.pth` files of a directory, by name.
fn torch_files(directory: &Path) -> io::Result<Vec<PathBuf>> {
    let mut paths = Vec::new();
    for entry in std::fs::read_dir(directory)? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "pt" || extension == "pth") {
            paths.push(path);
        }
    }
    paths.sort();
    Ok(paths)
}
