//! The binary that is handed out: built without the paths of the machine, and examined before it leaves it.

use std::collections::BTreeSet;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};
use sha2::{Digest as _, Sha256};

/// Its flags differ from those of `cargo build --release`, and so does its folder: neither throws away what the
/// other compiled.
const PROFILE: &str = "dist";
/// Parts of paths that no machine's binary should hold, whatever its directories are called.
const OF_ANY_MACHINE: [&str; 3] = ["/.cargo/", "/registry/src/", "/.rustup/"];
/// What the C library calls where a function has overwritten its return address.
const STACK_PROTECTOR: &str = "__stack_chk_fail";
/// How many places of one path are shown.
const SHOWN: usize = 3;

/// Builds the binary, for another target with `--target T`, and fails if it holds what it should not.
pub(crate) fn run(root: &Path, args: &[String]) -> Result<()> {
    let target = match args {
        [] => None,
        [option, target] if option == "--target" => Some(target.as_str()),
        _ => bail!("usage: cargo xtask release [--target TARGET]"),
    };
    let machine = Machine::new(root)?;
    let mut cargo = Command::new(machine.cargo());
    cargo.current_dir(root).args(["build", "--profile", PROFILE, "--locked", "--bin", "vnp"]);
    cargo.args(target.into_iter().flat_map(|target| ["--target", target]));
    cargo.env("CARGO_ENCODED_RUSTFLAGS", machine.flags().join("\x1f"));
    let status = cargo.status().context("cargo")?;
    ensure!(status.success(), "cargo build: {status}");
    let is_windows = target.map_or(cfg!(windows), |target| target.contains("windows"));
    let folder = machine.target.join(target.unwrap_or_default()).join(PROFILE);
    let binary = folder.join(if is_windows { "vnp.exe" } else { "vnp" });
    let bytes = fs_err::read(&binary)?;
    let mut out = std::io::stdout();
    writeln!(out, "{}: {} bytes", binary.display(), bytes.len())?;
    writeln!(out, "SHA-256 {}", hex(&Sha256::digest(&bytes)))?;
    let names: Vec<String> = machine.names().into_iter().collect();
    let found = held(&bytes, &names);
    for line in &found {
        writeln!(out, "holds {line}")?;
    }
    writeln!(out, "paths of this machine: {} of {} kinds", found.len(), names.len())?;
    // The C library of others is linked statically, or is another one.
    let has_symbol = target.map_or(cfg!(all(target_os = "linux", target_env = "gnu")), |target| {
        target.contains("linux-gnu")
    });
    let is_protected = !held(&bytes, &[STACK_PROTECTOR.to_owned()]).is_empty();
    let protector = match (has_symbol, is_protected) {
        (true, true) => "present",
        (true, false) => "MISSING",
        (false, _) => "not checked for this target",
    };
    writeln!(out, "stack protector: {protector}")?;
    ensure!(found.is_empty(), "the binary holds paths of the machine that built it");
    ensure!(is_protected || !has_symbol, "C code was built without a stack protector");
    Ok(())
}

/// Directories of the machine that builds, whose names a binary would hold.
struct Machine {
    root: PathBuf,
    target: PathBuf,
    home: Option<PathBuf>,
    cargo_home: PathBuf,
    sysroot: PathBuf,
}

impl Machine {
    fn new(root: &Path) -> Result<Self> {
        let home = std::env::home_dir();
        let of_home = || home.as_ref().map(|home| home.join(".cargo"));
        let cargo_home = std::env::var_os("CARGO_HOME").map(PathBuf::from).or_else(of_home);
        let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
        let mut sysroot = Command::new(rustc);
        let sysroot = output(sysroot.current_dir(root).args(["--print", "sysroot"]))?;
        let mut machine = Self {
            root: root.to_owned(),
            target: PathBuf::new(),
            home,
            cargo_home: cargo_home.context("neither CARGO_HOME nor a home directory")?,
            sysroot: PathBuf::from(sysroot.trim_end()),
        };
        let mut metadata = Command::new(machine.cargo());
        metadata.current_dir(root).args(["metadata", "--no-deps", "--format-version", "1"]);
        let metadata: serde_json::Value = serde_json::from_str(&output(&mut metadata)?)?;
        let target = metadata.get("target_directory").and_then(|it| it.as_str());
        let target = target.context("cargo metadata names no target_directory")?;
        machine.target = PathBuf::from(target);
        Ok(machine)
    }

    fn cargo(&self) -> std::ffi::OsString {
        std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into())
    }

    /// The flags of the environment, and one for each path that is to be replaced; of several that fit, the
    /// last counts.
    fn flags(&self) -> Vec<String> {
        let given = std::env::var("RUSTFLAGS").unwrap_or_default();
        let given = given.split_whitespace().map(str::to_owned);
        let mut paths = vec![(self.root.clone(), "/vnp")];
        if !self.target.starts_with(&self.root) {
            paths.push((self.target.clone(), "/target"));
        }
        // One folder for each registry, with its host in its name.
        for (folder, replacement) in [("registry/src", "/registry"), ("git/checkouts", "/git")] {
            let entries = fs_err::read_dir(self.cargo_home.join(folder)).into_iter().flatten();
            let folders = entries.filter_map(Result::ok).map(|entry| entry.path());
            paths.extend(folders.map(|path| (path, replacement)));
        }
        paths.push((self.sysroot.join("lib/rustlib/src/rust"), "/rust"));
        let flag = |(path, replacement): (PathBuf, &str)| {
            format!("--remap-path-prefix={}={replacement}", path.display())
        };
        given.chain(paths.into_iter().map(flag)).collect()
    }

    /// What the binary may not hold.
    fn names(&self) -> BTreeSet<String> {
        let mut names: BTreeSet<String> =
            OF_ANY_MACHINE.iter().map(|name| (*name).to_owned()).collect();
        let home = self.home.iter().map(PathBuf::as_path);
        let paths = [&*self.root, &*self.target, &*self.cargo_home, &*self.sysroot];
        // The root of the system would be found everywhere.
        for path in paths.into_iter().chain(home).filter(|path| path.file_name().is_some()) {
            names.insert(format!("{}/", path.display()));
        }
        names
    }
}

fn output(command: &mut Command) -> Result<String> {
    let output = command.output().with_context(|| format!("{command:?}"))?;
    ensure!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    Ok(String::from_utf8(output.stdout)?)
}

/// The names that some bytes hold, each with the first places.
fn held(bytes: &[u8], names: &[String]) -> Vec<String> {
    let mut found = Vec::new();
    for name in names {
        let length = name.len();
        let places = bytes.windows(length).enumerate().filter(|(_, it)| *it == name.as_bytes());
        let places: Vec<String> = places.map(|(offset, _)| around(bytes, offset, length)).collect();
        if !places.is_empty() {
            let first = places.iter().take(SHOWN).cloned().collect::<Vec<_>>().join(", ");
            found.push(format!("`{name}` {} times: {first}", places.len()));
        }
    }
    found
}

/// The printable text around some bytes.
fn around(bytes: &[u8], offset: usize, length: usize) -> String {
    const LETTERS: usize = 60;
    let is_text = |byte: &&u8| byte.is_ascii_graphic();
    let before = bytes.get(..offset).unwrap_or_default().iter().rev().take(LETTERS);
    let after = bytes.get(offset + length..).unwrap_or_default().iter().take(LETTERS);
    let mut text: Vec<u8> = before.take_while(is_text).copied().collect();
    text.reverse();
    text.extend(bytes.get(offset..offset + length).unwrap_or_default());
    text.extend(after.take_while(is_text));
    String::from_utf8_lossy(&text).escape_debug().to_string()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn machine() -> Machine {
        Machine {
            root: "/home/me/vnp".into(),
            target: "/home/me/vnp/target".into(),
            home: Some("/home/me".into()),
            cargo_home: "/home/me/.cargo".into(),
            sysroot: "/opt/rust".into(),
        }
    }

    #[test]
    fn paths_of_the_machine_are_found_with_what_stands_around_them() {
        let names: Vec<String> = machine().names().into_iter().collect();
        let found = |bytes: &[u8]| held(bytes, &names);
        assert_eq!(found(b"\0/crates/a-1.0/src/lib.rs\0/vnp/crates/x.rs\0/home/mellow\0"), [""; 0]);
        let cargo = found(b"\0/srv/.cargo/git/a.rs\0");
        assert_eq!(cargo, ["`/.cargo/` 1 times: /srv/.cargo/git/a.rs"]);
        let root = found(b"x\0/home/me/vnp/src/a.rs\0y");
        let expected = [
            "`/home/me/` 1 times: /home/me/vnp/src/a.rs",
            "`/home/me/vnp/` 1 times: /home/me/vnp/src/a.rs",
        ];
        assert_eq!(root, expected);
        assert_eq!(found(&b"/opt/rust/lib ".repeat(9))[0].matches("/lib").count(), SHOWN);
    }

    #[test]
    fn every_directory_is_replaced() {
        let cargo_home = tempfile::tempdir().unwrap();
        for folder in ["registry/src/host-0a1b", "git/checkouts/x-2c"] {
            fs_err::create_dir_all(cargo_home.path().join(folder)).unwrap();
        }
        let at = |folder: &str| cargo_home.path().join(folder).display().to_string();
        let (registry, git) = (at("registry/src/host-0a1b"), at("git/checkouts/x-2c"));
        let check = |target: &str, more: &[&str]| {
            let (target, cargo_home) = (target.into(), cargo_home.path().to_owned());
            let flags = Machine { target, cargo_home, ..machine() }.flags();
            let own = flags.iter().filter_map(|flag| flag.strip_prefix("--remap-path-prefix="));
            let (registry, git) = (format!("{registry}=/registry"), format!("{git}=/git"));
            let rust = "/opt/rust/lib/rustlib/src/rust=/rust";
            let expected = [&["/home/me/vnp=/vnp"], more, &[&registry, &git, rust]].concat();
            assert_eq!(own.collect::<Vec<_>>(), expected);
        };
        check("/home/me/vnp/target", &[]);
        check("/fast/target", &["/fast/target=/target"]);
    }
}
