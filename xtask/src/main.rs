//! Project chores: `cargo xtask` lists them.

mod bench_ckpt;
#[cfg(feature = "infer")]
mod bench_infer;
mod bench_validate;
mod cuda_build;
mod fixtures;
mod outside;
mod tidy;
#[cfg(feature = "train")]
mod train_mini;

use std::path::{Path, PathBuf};

use anyhow::{Result, bail};

const USAGE: &str = "\
cargo xtask fixtures    write the missing fixtures of the current checkpoint version
cargo xtask outside     build the tool of tests/outside and count the crates it takes
cargo xtask tidy [ROOT] check files, imports, arrows between crates and language; or another checkout
cargo xtask cuda-build [--toolkit DIR] [--cap N] [--python PATH] [--check]
        build vnp for NVIDIA GPUs, with a toolkit of its own making; --check lints and tests it

cargo run --release -p xtask -- bench-ckpt [--dir DIR] [--pairs N] [--python PATH]
        time checkpoints beside the limits of this machine, and beside torch
cargo run --release -p xtask -- bench-validate [--dir DIR] [--pairs N] [--files N]
        time the validation of a directory beside reading and hashing it

cargo xtask bench-infer [--shapes t6,t30,t33,dnabert] [--threads 1,2] [--python PATH] [OPTION VALUE]...
        time both encoders beside the peak of this machine, and beside other engines
cargo xtask train-mini [--data DIR] [--examples FILE] [--work DIR] [--out DIR] [--jobs N]
        [--measure-only] [--set NAME=VALUE]...
        measure and make the embedded bundle; what was killed goes on from --work
        (both compile Candle, optimised, before they begin)
";

fn main() -> Result<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    match args.split_first() {
        Some((chore, [])) if chore == "fixtures" => fixtures::run(&root()),
        Some((chore, [])) if chore == "outside" => outside::run(&root()),
        Some((chore, [])) if chore == "tidy" => tidy(&root()),
        Some((chore, [other])) if chore == "tidy" => tidy(Path::new(other)),
        Some((chore, rest)) if chore == "bench-ckpt" => bench_ckpt::run(rest),
        Some((chore, rest)) if chore == "bench-validate" => bench_validate::run(rest),
        Some((chore, rest)) if chore == "bench-infer" => bench_infer(rest),
        Some((chore, rest)) if chore == "cuda-build" => cuda_build::run(&root(), rest),
        Some((chore, rest)) if chore == "train-mini" => train_mini(rest),
        Some((chore, _)) => bail!("no such chore: {chore}\n{USAGE}"),
        None => bail!("which chore?\n{USAGE}"),
    }
}

/// Checks `checkout` by the rules of this repository.
fn tidy(checkout: &Path) -> Result<()> {
    tidy::tidy(checkout, &fs_err::read_to_string(root().join(tidy::RULES))?)
}

#[cfg(feature = "infer")]
fn bench_infer(args: &[String]) -> Result<()> {
    bench_infer::run(args)
}

#[cfg(not(feature = "infer"))]
fn bench_infer(args: &[String]) -> Result<()> {
    with_feature("infer", "bench-infer", args)
}

#[cfg(feature = "train")]
fn train_mini(args: &[String]) -> Result<()> {
    train_mini::run(args)
}

#[cfg(not(feature = "train"))]
fn train_mini(args: &[String]) -> Result<()> {
    with_feature("train", "train-mini", args)
}

/// Compiles the chores that need Candle, optimised, and runs one of them.
#[cfg(not(feature = "train"))]
fn with_feature(feature: &str, chore: &str, args: &[String]) -> Result<()> {
    use anyhow::{Context as _, ensure};
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let status = std::process::Command::new(cargo)
        .args(["run", "--release", "--package", "xtask", "--features", feature, "--", chore])
        .args(args)
        .current_dir(root())
        .status()
        .context("cargo")?;
    ensure!(status.success(), "{chore} failed: {status}");
    Ok(())
}

/// The root of the repository.
fn root() -> PathBuf {
    let own = Path::new(env!("CARGO_MANIFEST_DIR"));
    own.parent().unwrap_or(own).to_owned()
}
