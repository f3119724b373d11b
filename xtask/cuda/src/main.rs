//! The binary for NVIDIA GPUs, built where there is neither a GPU nor a CUDA toolkit.

mod toolkit;

use std::ffi::OsString;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};

use toolkit::Toolkit;

/// What is to be done, and with what.
#[derive(Debug, PartialEq, Eq)]
struct Options {
    toolkit: PathBuf,
    /// Compute capability of the oldest GPU to run on, times ten.
    cap: u32,
    python: OsString,
    check: bool,
}

/// `[--toolkit DIR] [--cap N] [--python PATH] [--check]`
pub(crate) fn run(root: &Path, args: &[String]) -> Result<()> {
    let options = options(root, args)?;
    let toolkit = Toolkit::find_or_make(&options.toolkit, &options.python, root)?;
    let target = root.join("target").join("cuda");
    let mut steps = vec![vec!["build", "--package", "vnp-cli"]];
    if options.check {
        // The same packages: fewer have other features, and candle's kernels would be built again.
        let packages = ["--package", "vnp-cli", "--package", "vnp-infer"];
        steps.push(["clippy", "--all-targets"].into_iter().chain(packages).collect());
        steps.push(["test", "--lib"].into_iter().chain(packages).collect());
    }
    for step in steps {
        let mut cargo = toolkit.cargo(root, options.cap);
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

fn options(root: &Path, args: &[String]) -> Result<Options> {
    let mut options = Options {
        toolkit: root.join("target").join("cuda-toolkit"),
        cap: 80,
        python: "python3".into(),
        check: false,
    };
    let mut args = args.iter();
    while let Some(arg) = args.next() {
        let mut value = || args.next().with_context(|| format!("{arg} wants a value"));
        match arg.as_str() {
            "--toolkit" => options.toolkit = root.join(value()?),
            "--cap" => options.cap = value()?.parse().context("--cap wants a number such as 80")?,
            "--python" => options.python = value()?.into(),
            "--check" => options.check = true,
            _ => bail!("cuda-build does not know {arg}"),
        }
    }
    ensure!(options.cap >= 80, "the kernels need compute capability 8.0: --cap 80 or more");
    Ok(options)
}

/// The command that cargo was called by.
fn cargo() -> Command {
    Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(args: &[&str], expected: Option<Options>) {
        let args: Vec<String> = args.iter().map(|arg| (*arg).to_owned()).collect();
        assert_eq!(options(Path::new("/r"), &args).ok(), expected, "{args:?}");
    }

    #[test]
    fn arguments() {
        let with = |toolkit: &str, cap, check| {
            Some(Options { toolkit: toolkit.into(), cap, python: "python3".into(), check })
        };
        check(&[], with("/r/target/cuda-toolkit", 80, false));
        check(&["--toolkit", "/t", "--cap", "90"], with("/t", 90, false));
        check(&["--toolkit", "t", "--check"], with("/r/t", 80, true));
        check(&["--cap"], None);
        check(&["--cap", "75"], None);
        check(&["--cap", "sm_80"], None);
        check(&["--fast"], None);
    }
}
