//! Removing a job's directory, once its result is durable elsewhere.

use vnp_escape::escaped_path;

use super::JobDirectory;
use crate::error::Error;
use crate::files::{entries, remove_file_if_there};
use crate::part_name::is_part_or_quarantined;
use crate::publish::{parent, sync_directory};
use crate::quarantine::{QUARANTINED, quarantined_name};

impl JobDirectory {
    /// Removes the job's parts, its state, its lock and the directory itself: for a job whose result lies
    /// outside of it. Other files stay, and quarantined ones; so does the log of their faults, also of a
    /// result that was quarantined where it lay, and the directory then.
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
        self.remove_state()?;
        if quarantined > 0 {
            log::info!("quarantined files are left in {}", escaped_path(&self.checkpoints));
        } else if self.has_quarantined_results() {
            let log = self.failed_checkpoints();
            log::info!("{} says why a file was quarantined", escaped_path(&log));
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

    /// Whether a result that lies beside the directory was quarantined, and the log says why.
    fn has_quarantined_results(&self) -> bool {
        let log = vnp_validate::load_failed_checkpoints(&self.failed_checkpoints());
        log.unwrap_or_default().iter().any(|failure| {
            // By its name: another session may have been given another path to it.
            let beside = failure.path.file_name().map(|name| parent(&self.path).join(name));
            beside.is_some_and(|path| quarantined_name(&path, 1).exists())
        })
    }
}
