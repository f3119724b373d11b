//! The kinds of temporaries: how their names begin, and what is locked.

/// How many letters and digits follow the prefix of a temporary name.
pub(crate) const RANDOM_CHARS: usize = 6;

/// The file in the temporary directory of a save.
pub(crate) const SAVED_FILE: &str = "tmpfile.tmp";

/// The file that is locked in every other temporary directory.
pub(crate) const LOCK: &str = "lock";

/// The temporary directories of saves, named as `atomicwrites` names its own.
pub(crate) const SAVES: TemporaryName =
    TemporaryName { prefix: ".atomicwrite", lock: SAVED_FILE, only_lock: true };

/// A kind of temporaries: how their names begin, and what shows that a process is at work on one.
///
/// ```
/// # let place = tempfile::tempdir()?;
/// use vnp_ckpt::temporaries::{TemporaryName, Unlockable};
///
/// const DRAFTS: TemporaryName = TemporaryName::new(".draft-");
/// let draft = DRAFTS.directory(place.path())?;
/// // As long as the draft is there, no other process sweeps it.
/// assert!(DRAFTS.sweep(place.path(), Unlockable::Stays)?.is_empty());
/// drop(draft);
/// assert_eq!(std::fs::read_dir(place.path())?.count(), 0);
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TemporaryName {
    pub(crate) prefix: &'static str,
    /// The file in a directory that is locked.
    pub(crate) lock: &'static str,
    /// Whether a directory holds nothing else.
    pub(crate) only_lock: bool,
}

impl TemporaryName {
    /// Temporaries whose names begin with `prefix`; a directory is locked by a file `lock` in it.
    #[must_use]
    pub const fn new(prefix: &'static str) -> Self {
        Self { prefix, lock: LOCK, only_lock: false }
    }

    /// Whether a file name is one of these temporaries.
    pub(crate) fn is_name(&self, name: &str) -> bool {
        name.strip_prefix(self.prefix).is_some_and(|random| {
            random.len() == RANDOM_CHARS && random.bytes().all(|byte| byte.is_ascii_alphanumeric())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(name: &str, expected: bool) {
        assert_eq!(SAVES.is_name(name), expected, "{name}");
    }

    #[test]
    fn names() {
        check(".atomicwriteAb09zZ", true);
        check(".atomicwrite", false);
        check(".atomicwriteAb09z", false);
        check(".atomicwriteAb09zZ7", false);
        check(".atomicwriteAb09z_", false);
        check("atomicwriteAb09zZ", false);
        check("part.vnp", false);
    }
}
