//! Removing a job's directory, once its result is durable elsewhere.

use super::JobDirectory;
use crate::error::Error;
use crate::files::{entries, remove_file_if_there};
use crate::part_name::is_part_or_quarantined;
use crate::publish::{parent, sync_directory};
use crate::quarantine::QUARANTINED;

impl JobDirectory {
    /// Removes the job's parts, its lock and the directory itself: for a job whose result lies outside of
    /// it. Other files stay, and quarantined ones with the log of their faults; so does the directory
    /// then.
    ///
    /// # Errors
    /// [`Error::LockLost`], [`Error::Io`]
    pub fn remove(self) -> Result<(), Error> {
        self.check_lock()?;
        let stages: Vec<_> = self.kind.stages.iter().map(|name| self.stage(name)).collect();
        let mut quarantined = 0_usize;
        for path in stages.iter().map(|dir| entries(dir)).collect::<Result<Vec<_>, _>>()?.concat() {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            if !is_part_or_quarantined(&name) || path.is_dir() {
                continue;
            }
            match name.ends_with(QUARANTINED) {
                true => quarantined += 1,
                false => remove_file_if_there(&path)?,
            }
        }
        if quarantined > 0 {
            log::info!("quarantined files are left in {}", self.checkpoints.display());
        } else {
            remove_file_if_there(&self.failed_checkpoints())?;
            remove_file_if_there(&self.failed_files())?;
        }
        // remove_dir refuses a directory that is not empty: nothing of others can go.
        for stage in stages {
            drop(std::fs::remove_dir(stage));
        }
        self.lock.remove();
        drop(std::fs::remove_dir(&self.checkpoints));
        drop(std::fs::remove_dir(&self.path));
        if let Err(error) = sync_directory(parent(&self.path)) {
            log::debug!("{error}");
        }
        Ok(())
    }
}
