//! Bringing a file to disk while it is still written.

use std::fs::File;
use std::io;
use std::thread::{Builder, JoinHandle};

/// So much is written before the disk is set to work: a sync costs little beside it.
const FLUSHED_BYTES: u64 = 64 << 20;

/// A disk that works while the rest is computed and written: the last sync has less to do, and
/// what is not on disk yet does not grow with the file.
#[derive(Debug, Default)]
pub(super) struct Flush {
    unsynced_bytes: u64,
    running: Option<JoinHandle<io::Result<()>>>,
}

impl Flush {
    /// Takes note that so much was written, and starts a sync when that is worth it. Fails when
    /// an earlier one has failed: the system reports an error once, and then forgets.
    pub(super) fn wrote(&mut self, file: &File, bytes: u64) -> io::Result<()> {
        self.unsynced_bytes += bytes;
        let is_busy = self.running.as_ref().is_some_and(|sync| !sync.is_finished());
        if self.unsynced_bytes < FLUSHED_BYTES || is_busy {
            return Ok(());
        }
        self.finish()?;
        self.unsynced_bytes = 0;
        let file = file.try_clone()?;
        // Without another thread the last sync does it all.
        self.running = Builder::new().spawn(move || file.sync_data()).ok();
        Ok(())
    }

    /// Waits for the sync that is running.
    pub(super) fn finish(&mut self) -> io::Result<()> {
        let died = |_| Err(io::Error::other("the thread that syncs has died"));
        self.running.take().map_or(Ok(()), |sync| sync.join().unwrap_or_else(died))
    }
}

impl Drop for Flush {
    fn drop(&mut self) {
        // The file is closed before it is removed; its contents are no longer needed.
        let _ = self.finish();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sync_starts_when_it_is_worth_it() {
        let file = tempfile::tempfile().unwrap();
        let mut flush = Flush::default();
        flush.wrote(&file, FLUSHED_BYTES - 1).unwrap();
        assert!(flush.running.is_none());
        flush.wrote(&file, 1).unwrap();
        assert!(flush.running.is_some());
        assert_eq!(flush.unsynced_bytes, 0);
        flush.finish().unwrap();
        assert!(flush.running.is_none());
    }

    #[test]
    fn an_error_is_not_lost() {
        let file = tempfile::tempfile().unwrap();
        let failed = || {
            let sync = Builder::new().spawn(|| Err(io::Error::other("no disk"))).unwrap();
            while !sync.is_finished() {
                std::thread::yield_now();
            }
            Flush { unsynced_bytes: FLUSHED_BYTES, running: Some(sync) }
        };
        assert_eq!(failed().wrote(&file, 1).unwrap_err().to_string(), "no disk");
        assert_eq!(failed().finish().unwrap_err().to_string(), "no disk");
    }
}
