//! Project chores: `cargo xtask` lists them.
//!
//! Chores that compile more than `vnp-ckpt` are packages of their own below `xtask/`; this program
//! starts them, so that `cargo xtask tidy` compiles none of what they need.

mod fixtures;
mod outside;
mod release;
mod tidy;

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};

const USAGE: &str = "\
cargo xtask fixtures    write the missing fixtures of the current checkpoint version
cargo xtask outside     build the tool of tests/outside and count the crates it takes
cargo xtask release     build the binary that is handed out, and examine it; --target T for another system
cargo xtask field       print what situations from bug reports of the field give, and what is expected
cargo xtask tidy [ROOT] check files, imports, crates and language of the repository, or of ROOT

These are packages of their own; each explains its options with --help:
cargo xtask cuda-build        build vnp for NVIDIA GPUs, with a toolkit that it downloads
cargo xtask bench-ckpt        time checkpoints against the limits of this machine and torch
cargo xtask bench-validate    time the validation of a directory against reading and hashing it
cargo xtask bench-infer       time both encoders against the peak of this machine and other engines
cargo xtask latency           interrupt every long command at random moments and time its end
cargo xtask attacked          give hostile files and inputs to an earlier program and to this one
cargo xtask train-mini        measure and train the embedded bundle
";

/// A chore that is a package of its own.
struct Package {
    chore: &'static str,
    /// What cargo is to run.
    run: &'static [&'static str],
}

const PACKAGES: [Package; 7] = [
    Package { chore: "cuda-build", run: &["--package", "xtask-cuda", "--"] },
    Package { chore: "bench-ckpt", run: &["--release", "--package", "xtask-bench", "--", "ckpt"] },
    Package {
        chore: "bench-validate",
        run: &["--release", "--package", "xtask-bench", "--", "validate"],
    },
    Package {
        chore: "bench-infer",
        run: &["--release", "--package", "xtask-bench", "--", "infer"],
    },
    Package { chore: "latency", run: &["--package", "xtask-bench", "--", "latency"] },
    Package { chore: "attacked", run: &["--package", "xtask-bench", "--", "attacked"] },
    Package { chore: "train-mini", run: &["--release", "--package", "xtask-train-mini", "--"] },
];

fn main() -> Result<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let Some((chore, args)) = args.split_first() else { bail!("which chore?\n{USAGE}") };
    if let Some(package) = PACKAGES.iter().find(|package| package.chore == chore) {
        return package.start(args);
    }
    match (chore.as_str(), args) {
        ("fixtures", []) => fixtures::run(&root()),
        ("outside", []) => outside::run(&root()),
        ("release", args) => release::run(&root(), args),
        ("field", []) => field(),
        ("tidy", []) => tidy::tidy(&root(), &root()),
        ("tidy", [checkout]) => tidy::tidy(Path::new(checkout), &root()),
        _ => bail!("no such chore: {chore} {}\n{USAGE}", args.join(" ")),
    }
}

impl Package {
    /// Compiles the package and runs it with `args`.
    fn start(&self, args: &[String]) -> Result<()> {
        cargo("run", self.run.iter().copied().chain(args.iter().map(String::as_str)))
            .with_context(|| format!("{} failed", self.chore))
    }
}

/// Prints the table of `tests/field.rs`.
fn field() -> Result<()> {
    cargo("test", ["--package", "vnp-cli", "--test", "vnp", "field::", "--", "--nocapture"])
}

/// Runs a subcommand of cargo on the workspace.
fn cargo<'a>(subcommand: &str, args: impl IntoIterator<Item = &'a str>) -> Result<()> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command.args([subcommand, "--quiet", "--manifest-path"]).arg(root().join("Cargo.toml"));
    let status = command.args(args).status().context("cargo")?;
    ensure!(status.success(), "cargo {subcommand}: {status}");
    Ok(())
}

/// The root of the repository.
fn root() -> PathBuf {
    let own = Path::new(env!("CARGO_MANIFEST_DIR"));
    own.parent().unwrap_or(own).to_owned()
}
