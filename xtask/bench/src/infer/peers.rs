//! Other engines, in Python.

mod driver;
mod scripts;

use std::path::Path;
use std::process::Command;

use anyhow::Result;

use super::engine::Engine;
use super::shape::Shape;
use super::work::{Run, Work};

/// Some engines that do the same work as ours.
pub(crate) trait Peers {
    /// Those that can run.
    fn engines(&self) -> &[Engine];

    /// Runs one over all sequences.
    fn run(&mut self, engine: Engine) -> Result<Run>;

    /// Lets go of all memory.
    fn stop(self: Box<Self>) -> Result<()>;
}

/// What to start.
pub(crate) struct Start<'a> {
    pub(crate) shape: Shape,
    pub(crate) threads: usize,
    pub(crate) python: &'a Path,
    /// Scripts to start instead of our driver.
    pub(crate) scripts: Option<&'a Path>,
    /// A directory for exported models, of this shape alone.
    pub(crate) cache: &'a Path,
}

impl<'a> Start<'a> {
    /// The wanted engines, ready to run.
    pub(crate) fn peers(&'a self, work: &Work, wanted: &[Engine]) -> Result<Box<dyn Peers + 'a>> {
        Ok(match self.scripts {
            Some(dir) => {
                let dir = std::path::absolute(dir)?;
                Box::new(scripts::Scripts::new(self, dir, work, wanted))
            }
            None => Box::new(driver::Driver::start(self, work, wanted)?),
        })
    }

    /// A Python that runs a script on so many threads; what it complains about goes to a log.
    fn command(&self, script: &Path) -> Result<Command> {
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

    /// The end of the log.
    fn log(&self) -> String {
        let text = fs_err::read(self.cache.join("log")).unwrap_or_default();
        let text = String::from_utf8_lossy(&text);
        let lines: Vec<&str> = text.lines().collect();
        lines.get(lines.len().saturating_sub(10)..).unwrap_or_default().join("\n")
    }
}
