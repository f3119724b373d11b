//! How a compressed input ended, for its reader while the parser owns the decoder.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use vnp_escape::escaped_path;

/// Whether BGZF blocks were read that no empty block followed.
#[derive(Debug, Clone, Default)]
pub(crate) struct Ending(Arc<AtomicBool>);

impl Ending {
    pub(super) fn set_incomplete(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Whether the input may have been truncated. Known at its end.
    pub(crate) fn is_incomplete(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// Warns that an input may be truncated.
pub(crate) fn warn_incomplete(path: &Path) {
    warn_once(
        path,
        "the empty block that ends a BGZF file is missing: it is read as it is, but it may have been \
         truncated between two blocks; compare its size with that of the original",
    );
}

/// Logs a warning about an input, once per process: a run reads its inputs more than once.
pub(super) fn warn_once(path: &Path, text: &'static str) {
    static LOGGED: Mutex<BTreeSet<(PathBuf, &'static str)>> = Mutex::new(BTreeSet::new());
    let mut logged = LOGGED.lock().unwrap_or_else(PoisonError::into_inner);
    if logged.insert((path.to_owned(), text)) {
        log::warn!("{}: {text}", escaped_path(path));
    }
}
