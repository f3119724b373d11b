//! How Python is started for one shape and number of threads.

use std::path::Path;
use std::process::Command;

use anyhow::Result;

use crate::infer::shape::Shape;

/// What the engines of Python are to compute, and where.
pub(crate) struct Job<'a> {
    pub(crate) shape: Shape,
    pub(crate) threads: usize,
    pub(crate) python: &'a Path,
    /// Scripts to start instead of our driver.
    pub(crate) scripts: Option<&'a Path>,
    /// A directory for exported models of this shape.
    pub(crate) cache: &'a Path,
}

impl Job<'_> {
    /// A Python that runs a script with the threads of this job, and writes its errors to a log.
    pub(super) fn command(&self, script: &Path) -> Result<Command> {
        let log = fs_err::File::create(self.cache.join("log"))?;
        let threads = self.threads.to_string();
        let mut command = Command::new(self.python);
        command
            .arg(script)
            .current_dir(self.cache)
            .env("THREADS", &threads)
            .env("OMP_NUM_THREADS", &threads)
            .env("MKL_NUM_THREADS", &threads)
            .env("HF_HUB_OFFLINE", "1")
            .stderr(log.into_parts().0);
        Ok(command)
    }

    /// The last lines of the log.
    pub(super) fn log(&self) -> String {
        let text = fs_err::read(self.cache.join("log")).unwrap_or_default();
        let text = String::from_utf8_lossy(&text);
        let lines: Vec<&str> = text.lines().collect();
        lines.get(lines.len().saturating_sub(10)..).unwrap_or_default().join("\n")
    }
}
