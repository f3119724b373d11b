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
    /// Every one.
    Any,
    /// Those that name a file below the root, or use one that is open.
    OnFiles,
    /// Those among them that change something.
    Changes,
    /// Those on files with this name.
    Named(&'static str),
}

/// What is done to a system call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Harm {
    /// The whole process is killed instead.
    Kill,
    /// Half of what was asked for is written, and then the process is killed.
    KillMidway,
    /// It is not done, and fails.
    Error(Errno),
    /// It and all later ones that are counted are not done, and fail.
    ErrorFromHereOn(Errno),
    /// Half of what was asked for is written or read, one byte of one.
    Short,
    /// It is not done, but says that it was.
    Lie,
}

/// A harm and the call that it is done to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Which calls are counted.
    pub calls: Calls,
    /// Which of them, from 1.
    pub nth: usize,
    /// What happens to it.
    pub harm: Harm,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} at call {} of {:?}", self.harm, self.nth, self.calls)
    }
}
