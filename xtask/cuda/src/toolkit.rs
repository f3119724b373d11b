//! A CUDA toolkit assembled from NVIDIA's Python packages: compiler, headers and libraries.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};
use fs_err::os::unix::fs::symlink;

/// All packages are of one release. 13.0 is the newest whose output drivers of the 580 series load.
const PACKAGES: [(&str, &str); 8] = [
    ("nvidia-cuda-nvcc", "13.0.88"),
    ("nvidia-cuda-crt", "13.0.88"),
    ("nvidia-nvvm", "13.0.88"),
    ("nvidia-cuda-runtime", "13.0.96"),
    ("nvidia-cuda-cccl", "13.0.85"),
    ("nvidia-cuda-nvrtc", "13.0.88"),
    ("nvidia-curand", "10.4.0.35"),
    ("nvidia-cublas", "13.0.2.14"),
];
/// The release as cudarc expects it in the environment; otherwise it would ask the compiler.
const CUDARC_VERSION: &str = "13000";
/// Written last: a toolkit without this file is incomplete.
const STAMP: &str = "vnp-toolkit";

/// A directory with the layout of an installed toolkit.
pub(super) struct Toolkit {
    home: PathBuf,
}

impl Toolkit {
    /// The toolkit in `home`, which is assembled if `home` is empty. `python` downloads and unpacks
    /// the packages, without installing anything.
    pub(super) fn find_or_make(home: &Path, python: &OsStr, root: &Path) -> Result<Self> {
        let toolkit = Self { home: home.to_owned() };
        if toolkit.home.join(STAMP).is_file() {
            return Ok(toolkit);
        }
        let has_other = toolkit.home.exists() && fs_err::read_dir(&toolkit.home)?.next().is_some();
        ensure!(
            !has_other || toolkit.home.join("wheels").is_dir(),
            "{} is not a toolkit: name an empty directory or remove it",
            home.display()
        );
        toolkit.unpack(python)?;
        toolkit.name_libraries()?;
        toolkit.make_driver_stub(root)?;
        fs_err::write(toolkit.home.join(STAMP), stamp())?;
        Ok(toolkit)
    }

    /// Cargo in the environment that the build scripts of candle, cudarc and vnp-infer need, and in
    /// which the tests start without a driver.
    pub(super) fn cargo(&self, root: &Path, cap: u32) -> Result<Command> {
        let mut cargo = cargo();
        let (lib, stubs) = (self.home.join("lib"), self.stubs());
        for name in ["CUDA_HOME", "CUDA_PATH", "CUDA_ROOT", "CUDA_TOOLKIT_ROOT_DIR"] {
            cargo.env(name, &self.home);
        }
        cargo.env("NVCC", self.home.join("bin").join("nvcc"));
        let programs = [self.home.join("bin")].into_iter().chain(paths("PATH"));
        cargo.env("PATH", std::env::join_paths(programs)?);
        cargo.env("CUDA_COMPUTE_CAP", cap.to_string());
        cargo.env("CUDARC_CUDA_VERSION", CUDARC_VERSION);
        let mut flags = std::env::var_os("RUSTFLAGS").unwrap_or_default();
        for directory in [&lib, &stubs] {
            flags.push(" -L native=");
            flags.push(directory);
        }
        cargo.env("RUSTFLAGS", flags);
        // A real driver, where there is one, comes before the stub.
        let mut libraries = paths("LD_LIBRARY_PATH");
        libraries.push(lib);
        if !has_driver() {
            libraries.push(stubs);
        }
        cargo.env("LD_LIBRARY_PATH", std::env::join_paths(libraries)?);
        cargo.current_dir(root);
        Ok(cargo)
    }

    fn stubs(&self) -> PathBuf {
        self.home.join("lib").join("stubs")
    }

    fn unpack(&self, python: &OsStr) -> Result<()> {
        let wheels = self.home.join("wheels");
        let unpacked = self.home.join("unpacked");
        fs_err::create_dir_all(&wheels)?;
        let wanted = PACKAGES.iter().map(|(name, version)| format!("{name}=={version}"));
        let mut pip = Command::new(python);
        pip.args(["-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:"]);
        succeed(pip.arg("--dest").arg(&wheels).args(wanted))?;
        for wheel in fs_err::read_dir(&wheels)? {
            let mut zipfile = Command::new(python);
            zipfile.args(["-m", "zipfile", "--extract"]).arg(wheel?.path()).arg(&unpacked);
            succeed(&mut zipfile)?;
        }
        for part in fs_err::read_dir(unpacked.join("nvidia").join("cu13"))? {
            let part = part?;
            let path = self.home.join(part.file_name());
            if path.exists() {
                fs_err::remove_dir_all(&path)?;
            }
            fs_err::rename(part.path(), path)?;
        }
        fs_err::remove_dir_all(&unpacked)?;
        // Files unpacked this way are not executable.
        for directory in [self.home.join("bin"), self.home.join("nvvm").join("bin")] {
            for program in fs_err::read_dir(directory)? {
                let path = program?.path();
                if path.is_file() {
                    let mut permissions = fs_err::metadata(&path)?.permissions();
                    std::os::unix::fs::PermissionsExt::set_mode(&mut permissions, 0o755);
                    fs_err::set_permissions(&path, permissions)?;
                }
            }
        }
        Ok(())
    }

    /// Linkers look for `libcublas.so`, compilers in `lib64`; the packages have
    /// `lib/libcublas.so.13`.
    fn name_libraries(&self) -> Result<()> {
        let lib = self.home.join("lib");
        for entry in fs_err::read_dir(&lib)? {
            let name = entry?.file_name();
            if let Some((stem, _)) = name.to_string_lossy().split_once(".so.") {
                link(Path::new(&name), &lib.join(format!("{stem}.so")))?;
            }
        }
        link(Path::new("lib"), &self.home.join("lib64"))
    }

    /// A library with the driver's functions, to link with and to start tests with. Each function
    /// reports that there is no device.
    fn make_driver_stub(&self, root: &Path) -> Result<()> {
        let stubs = self.stubs();
        fs_err::create_dir_all(&stubs)?;
        let bindings = cudarc(root)?.join("src").join("driver").join("sys");
        let mut names = BTreeSet::new();
        for file in fs_err::read_dir(&bindings)? {
            names.extend(functions(&fs_err::read_to_string(file?.path())?));
        }
        ensure!(!names.is_empty(), "{} declares no function of the driver", bindings.display());
        let source = stubs.join("cuda.c");
        fs_err::write(&source, stub(&names))?;
        let library = stubs.join("libcuda.so.1");
        let compiler = std::env::var_os("CC").unwrap_or_else(|| "cc".into());
        let mut cc = Command::new(compiler);
        cc.args(["-shared", "-fPIC", "-w", "-Wl,-soname,libcuda.so.1", "-o"]);
        succeed(cc.arg(&library).arg(&source))?;
        link(Path::new("libcuda.so.1"), &stubs.join("libcuda.so"))
    }
}

/// The source of the stub. 100 is CUDA_ERROR_NO_DEVICE.
fn stub(names: &BTreeSet<String>) -> String {
    names.iter().map(|name| format!("int {name}(void) {{ return 100; }}\n")).collect()
}

/// The functions of the driver that a file of bindings declares.
fn functions(bindings: &str) -> impl Iterator<Item = String> {
    bindings.split("fn cu").skip(1).filter_map(|rest| {
        let name = rest.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').next()?;
        name.starts_with(|c: char| c.is_ascii_uppercase()).then(|| format!("cu{name}"))
    })
}

/// Where cargo keeps the source of the bindings.
fn cudarc(root: &Path) -> Result<PathBuf> {
    let mut cargo = cargo();
    cargo.args(["metadata", "--format-version", "1", "--locked", "--features", "vnp-infer/cuda"]);
    let output = cargo.current_dir(root).output().context("cargo metadata")?;
    ensure!(output.status.success(), "cargo metadata: {}", String::from_utf8_lossy(&output.stderr));
    let metadata = String::from_utf8(output.stdout)?;
    let manifest = metadata
        .split("\"manifest_path\":\"")
        .filter_map(|rest| rest.split('"').next())
        .map(PathBuf::from)
        .find(|path| {
            let directory = path.parent().and_then(Path::file_name).unwrap_or_default();
            directory.to_string_lossy().starts_with("cudarc-")
        });
    let manifest = manifest.context("cargo metadata names no cudarc")?;
    Ok(manifest.parent().unwrap_or(&manifest).to_owned())
}

/// The command that started this program.
fn cargo() -> Command {
    Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
}

fn stamp() -> String {
    PACKAGES.iter().map(|(name, version)| format!("{name} {version}\n")).collect()
}

/// Whether this machine has NVIDIA's driver.
fn has_driver() -> bool {
    Path::new("/proc/driver/nvidia/version").exists()
}

/// The paths that an environment variable lists.
fn paths(variable: &str) -> Vec<PathBuf> {
    std::env::var_os(variable)
        .map_or_else(Vec::new, |paths| std::env::split_paths(&paths).collect())
}

fn link(to: &Path, at: &Path) -> Result<()> {
    if at.symlink_metadata().is_ok() {
        fs_err::remove_file(at)?;
    }
    Ok(symlink(to, at)?)
}

fn succeed(command: &mut Command) -> Result<()> {
    let name = command.get_program().to_string_lossy().into_owned();
    let status = command.status().with_context(|| name.clone())?;
    ensure!(status.success(), "{name} failed: {command:?}");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(bindings: &str, expected: &[&str]) {
        assert_eq!(functions(bindings).collect::<Vec<_>>(), expected);
    }

    #[test]
    fn bindings_name_functions() {
        check("", &[]);
        check("pub fn cuInit(Flags: c_uint) -> CUresult;", &["cuInit"]);
        check("fn cuMemAlloc_v2(p: *mut c_void); fn cuCtxGet(", &["cuMemAlloc_v2", "cuCtxGet"]);
        check("unsafe fn culib() {} fn cumulative()", &[]);
    }

    #[test]
    fn a_stub_has_every_function() {
        let names = ["cuInit", "cuCtxGet"].map(str::to_owned).into();
        let expected = "int cuCtxGet(void) { return 100; }\nint cuInit(void) { return 100; }\n";
        assert_eq!(stub(&names), expected);
    }

    #[test]
    fn a_directory_with_other_files_is_refused() {
        let foreign = tempfile::tempdir().unwrap();
        fs_err::write(foreign.path().join("thesis.tex"), "").unwrap();
        let made = Toolkit::find_or_make(foreign.path(), OsStr::new("false"), Path::new("."));
        assert!(made.err().unwrap().to_string().contains("is not a toolkit"));
        assert_eq!(fs_err::read_dir(foreign.path()).unwrap().count(), 1);
    }
}
