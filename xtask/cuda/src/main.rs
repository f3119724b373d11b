//! Builds `vnp` for NVIDIA GPUs on a machine that needs neither a GPU nor a CUDA toolkit.

mod toolkit;

use std::ffi::OsString;
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use clap::Parser;

use toolkit::Toolkit;

/// Builds vnp for NVIDIA GPUs: target/cuda/release/vnp.
#[derive(Debug, PartialEq, Eq, Parser)]
struct Options {
    /// Directory of the toolkit, from the root of the repository; made if it is not there
    #[arg(long, value_name = "DIR", default_value = "target/cuda-toolkit")]
    toolkit: PathBuf,
    /// Compute capability of the oldest GPU to run on, times ten; the kernels need 8.0
    #[arg(long, value_name = "N", default_value = "80")]
    #[arg(value_parser = clap::value_parser!(u32).range(80..))]
    cap: u32,
    /// Python whose pip downloads the toolkit
    #[arg(long, value_name = "PATH", default_value = "python3")]
    python: OsString,
    /// Lint and test with the feature `cuda` too
    #[arg(long)]
    check: bool,
}

fn main() -> Result<()> {
    let options = Options::parse();
    let own = Path::new(env!("CARGO_MANIFEST_DIR"));
    let root = own.ancestors().nth(2).unwrap_or(own);
    let toolkit = Toolkit::find_or_make(&root.join(&options.toolkit), &options.python, root)?;
    let target = root.join("target").join("cuda");
    let mut steps = vec![vec!["build", "--package", "vnp-cli"]];
    if options.check {
        // The same packages: fewer would have other features, and candle's kernels be built again.
        let packages = ["--package", "vnp-cli", "--package", "vnp-infer"];
        steps.push(["clippy", "--all-targets"].into_iter().chain(packages).collect());
        steps.push(["test", "--lib"].into_iter().chain(packages).collect());
    }
    for step in steps {
        let mut cargo = toolkit.cargo(root, options.cap)?;
        cargo.args(&step).args(["--release", "--locked", "--features", "cuda"]);
        if step.contains(&"clippy") {
            cargo.args(["--", "--deny", "warnings"]);
        }
        cargo.env("CARGO_TARGET_DIR", &target);
        writeln!(std::io::stderr(), "cargo {}", step.join(" "))?;
        let status = cargo.status().context("cargo")?;
        ensure!(status.success(), "cargo {} failed", step.join(" "));
    }
    let binary = target.join("release").join("vnp");
    let bytes = fs_err::metadata(&binary)?.len();
    writeln!(std::io::stdout(), "{} ({} MB)", binary.display(), bytes / 1_000_000)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(args: &[&str], expected: Option<Options>) {
        let found = Options::try_parse_from(["cuda-build"].iter().chain(args));
        assert_eq!(found.ok(), expected, "{args:?}");
    }

    #[test]
    fn arguments() {
        let with = |toolkit: &str, cap, check| {
            Some(Options { toolkit: toolkit.into(), cap, python: "python3".into(), check })
        };
        check(&[], with("target/cuda-toolkit", 80, false));
        check(&["--toolkit", "/t", "--cap", "90"], with("/t", 90, false));
        check(&["--toolkit", "t", "--check"], with("t", 80, true));
        check(&["--cap"], None);
        check(&["--cap", "75"], None);
        check(&["--cap", "sm_80"], None);
        check(&["--fast"], None);
    }
}
