//! With the feature `cuda`, compiles `src/cuda/*.cu` to PTX, which the driver finishes for the GPU
//! it finds. Candle's own kernels are built by the same compiler.

use std::env;
use std::io::{Error, Result};
use std::path::{Path, PathBuf};
use std::process::Command;

/// The oldest GPUs with the instructions that the kernels use: bf16 and its tensor cores. PTX for it
/// runs on every newer one.
const ARCHITECTURE: &str = "compute_80";

fn main() -> Result<()> {
    println!("cargo::rerun-if-changed=build.rs");
    if env::var_os("CARGO_FEATURE_CUDA").is_none() {
        return Ok(());
    }
    println!("cargo::rerun-if-changed=src/cuda");
    let output = env::var_os("OUT_DIR").ok_or_else(|| Error::other("cargo sets no OUT_DIR"))?;
    let output = PathBuf::from(output);
    let nvcc = nvcc();
    for entry in Path::new("src/cuda").read_dir()? {
        let source = entry?.path();
        if source.extension().is_some_and(|extension| extension == "cu") {
            compile(&nvcc, &source, &output)?;
        }
    }
    Ok(())
}

fn compile(nvcc: &Path, source: &Path, output: &Path) -> Result<()> {
    let name = source.file_stem().ok_or_else(|| Error::other("a kernel without a name"))?;
    let ptx = output.join(name).with_extension("ptx");
    let status = Command::new(nvcc)
        .args(["--ptx", "-O3", "-std=c++17", "-arch", ARCHITECTURE, "-o"])
        .args([&ptx, source])
        .status()
        .map_err(|reason| Error::other(format!("{}: {reason}", nvcc.display())))?;
    if !status.success() {
        return Err(Error::other(format!("{} failed for {}", nvcc.display(), source.display())));
    }
    Ok(())
}

/// `$NVCC`, that of a toolkit named in the environment, or whatever the search path has.
fn nvcc() -> PathBuf {
    for name in ["NVCC", "CUDA_HOME", "CUDA_PATH", "CUDA_ROOT", "CUDA_TOOLKIT_ROOT_DIR"] {
        println!("cargo::rerun-if-env-changed={name}");
    }
    if let Some(nvcc) = env::var_os("NVCC") {
        return nvcc.into();
    }
    let named = ["CUDA_HOME", "CUDA_PATH", "CUDA_ROOT", "CUDA_TOOLKIT_ROOT_DIR"];
    let homes = named.iter().filter_map(env::var_os).map(PathBuf::from);
    let mut paths =
        homes.chain([PathBuf::from("/usr/local/cuda")]).map(|home| home.join("bin/nvcc"));
    paths.find(|nvcc| nvcc.is_file()).unwrap_or_else(|| "nvcc".into())
}
