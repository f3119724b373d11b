//! The directory in which commands run: what they write, and what they may not leave.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::Result;

/// How the names of temporaries begin.
const TEMPORARIES: [&str; 3] = [".vnp-", ".atomicwrite", "standard-input-"];

/// The program, and the directory that it runs in.
pub(crate) struct Place {
    pub(crate) vnp: PathBuf,
    pub(crate) dir: PathBuf,
}

impl Place {
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.join(name)
    }

    /// The program with these words. All output of commands goes to `out`.
    pub(crate) fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(&self.vnp);
        command.args(words).current_dir(&self.dir).env_remove("VNP_MODELS");
        command.env("XDG_DATA_HOME", self.path("none")).stdin(Stdio::null());
        command
    }

    /// Removes what a command wrote.
    pub(crate) fn clear(&self) -> Result<()> {
        let out = self.path("out");
        if out.exists() {
            fs_err::remove_dir_all(&out)?;
        }
        Ok(fs_err::create_dir(out)?)
    }

    /// Temporaries that are left.
    pub(crate) fn leftovers(&self) -> Result<usize> {
        let mut count = 0;
        for path in below(&self.dir)? {
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            count += usize::from(TEMPORARIES.iter().any(|start| name.starts_with(start)));
        }
        Ok(count)
    }
}

/// Every file and directory below one.
pub(crate) fn below(dir: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let mut dirs = vec![dir.to_owned()];
    while let Some(dir) = dirs.pop() {
        for entry in fs_err::read_dir(dir)? {
            let entry = entry?;
            if entry.file_type()?.is_dir() {
                dirs.push(entry.path());
            }
            found.push(entry.path());
        }
    }
    Ok(found)
}
