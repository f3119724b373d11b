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
cargo xtask tidy        check file sizes, module layout and the arrows between crates
cargo xtask cuda-build [--toolkit DIR] [--cap N] [--python PATH] [--check]
        build vnp for NVIDIA GPUs, with a toolkit of its own making; --check lints and tests it

cargo run --release -p xtask -- bench-ckpt [--dir DIR] [--pairs N] [--python PATH]
        time checkpoints beside the limits of this machine, and beside torch
cargo run --release -p xtask -- bench-validate [--dir DIR] [--pairs N] [--files N]
        time the validation of a directory beside reading and hashing it
cargo run --release -p xtask --features infer -- bench-infer [--shapes t6,t30,t33,dnabert]
        [--threads 1,2] [--python PATH] [OPTION VALUE]...
        time both encoders beside the peak of this machine, and beside other engines

cargo run --release -p xtask --features train -- train-mini [--data DIR] [--examples FILE]
        [--out DIR] [--set NAME=VALUE]...    make the embedded bundle
";

fn main() -> Result<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    match args.split_first() {
        Some((chore, [])) if chore == "fixtures" => fixtures::run(&root()),
        Some((chore, [])) if chore == "outside" => outside::run(&root()),
        Some((chore, [])) if chore == "tidy" => tidy::tidy(&root()),
        Some((chore, rest)) if chore == "bench-ckpt" => bench_ckpt::run(rest),
        Some((chore, rest)) if chore == "bench-validate" => bench_validate::run(rest),
        Some((chore, rest)) if chore == "bench-infer" => bench_infer(rest),
        Some((chore, rest)) if chore == "cuda-build" => cuda_build::run(&root(), rest),
        Some((chore, rest)) if chore == "train-mini" => train_mini(rest),
        Some((chore, _)) => bail!("no such chore: {chore}\n{USAGE}"),
        None => bail!("which chore?\n{USAGE}"),
    }
}

#[cfg(feature = "infer")]
fn bench_infer(args: &[String]) -> Result<()> {
    bench_infer::run(args)
}

#[cfg(not(feature = "infer"))]
fn bench_infer(_args: &[String]) -> Result<()> {
    bail!("bench-infer wants the feature `infer`\n{USAGE}")
}

#[cfg(feature = "train")]
fn train_mini(args: &[String]) -> Result<()> {
    train_mini::run(args)
}

#[cfg(not(feature = "train"))]
fn train_mini(_args: &[String]) -> Result<()> {
    bail!("train-mini wants the feature `train`\n{USAGE}")
}

/// The root of the repository.
fn root() -> PathBuf {
    let own = Path::new(env!("CARGO_MANIFEST_DIR"));
    own.parent().unwrap_or(own).to_owned()
}
