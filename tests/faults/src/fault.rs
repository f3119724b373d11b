//! Faults: which system call is disturbed, and how.

use std::fmt;

/// An error number of the operating system, by its value on Linux.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Errno(pub i32);

impl Errno {
    /// Permission denied.
    pub const EACCES: Self = Self(13);
    /// Input/output error.
    pub const EIO: Self = Self(5);
    /// Interrupted: try again.
    pub const EINTR: Self = Self(4);
    /// Too many open files.
    pub const EMFILE: Self = Self(24);
    /// No space left on device.
    pub const ENOSPC: Self = Self(28);
    /// Invalid cross-device link.
    pub const EXDEV: Self = Self(18);
}

impl fmt::Display for Errno {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        std::io::Error::from_raw_os_error(self.0).fmt(f)
    }
}

impl std::error::Error for Errno {}

/// Which system calls are counted, all threads and child processes together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Calls {
    /// Every call.
    Any,
    /// Calls that change something in files below the root.
    Changes,
    /// Calls of this name that name such a file, or use one that is open.
    Named(&'static str),
}

/// What a fault does to a system call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Harm {
    /// The whole process is killed before the call.
    Kill,
    /// Half of the bytes are written, and then the process is killed.
    KillMidway,
    /// The call is skipped, and returns an error.
    Error(Errno),
    /// This call and all later ones that are counted are skipped, and return an error.
    ErrorFromHereOn(Errno),
    /// Half of the bytes are written or read, rounded up to one.
    Short,
    /// The call is skipped, but reports success.
    Lie,
}

/// A harm, and the call that it is done to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Which calls are counted.
    pub calls: Calls,
    /// Which of them, from 1.
    pub nth: usize,
    /// What is done to it.
    pub harm: Harm,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} at call {} of {:?}", self.harm, self.nth, self.calls)
    }
}
