//! Project chores: `cargo xtask` lists them.

mod fixtures;
mod tidy;

use std::path::{Path, PathBuf};

const USAGE: &str = "\
cargo xtask fixtures    write the missing fixtures of the current checkpoint version
cargo xtask tidy        check file sizes, module layout and the arrows between crates
";

fn main() -> anyhow::Result<()> {
    match std::env::args().nth(1).as_deref() {
        Some("fixtures") => fixtures::run(&root()),
        Some("tidy") => tidy::tidy(&root()),
        Some(other) => anyhow::bail!("no chore is called `{other}`\n{USAGE}"),
        None => anyhow::bail!("which chore?\n{USAGE}"),
    }
}

/// The root of the repository.
fn root() -> PathBuf {
    let own = Path::new(env!("CARGO_MANIFEST_DIR"));
    own.parent().unwrap_or(own).to_owned()
}
