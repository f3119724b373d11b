//! A lock file as another process left it: whose it is, and whether that process is at work.

use std::io::{self, Read, Seek};
use std::path::Path;
use std::time::{Duration, SystemTime};

use fs_err::{File, OpenOptions};

use super::owner::Owner;

/// What is read of a lock file; ours are shorter.
const MOST_BYTES: u64 = 4096;

/// A lock file and what it says.
#[derive(Debug)]
pub(super) struct Found {
    text: String,
    owner: Option<Owner>,
    modified: SystemTime,
    /// The user whose file it is, where there are users.
    user: Option<u32>,
}

impl Found {
    /// The lock file at a path; none if there is no such file. A link is an error.
    pub(super) fn at(path: &Path) -> io::Result<Option<Self>> {
        let file = match no_link(OpenOptions::new().read(true)).open(path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        Self::of(&file).map(Some)
    }

    /// The contents of an open lock file.
    pub(super) fn of(mut file: &File) -> io::Result<Self> {
        let metadata = file.metadata()?;
        let mut bytes = Vec::new();
        file.rewind()?;
        (&mut file).take(MOST_BYTES).read_to_end(&mut bytes)?;
        let text = String::from_utf8_lossy(&bytes).into_owned();
        Ok(Self {
            owner: Owner::parse(&text),
            text,
            modified: metadata.modified()?,
            user: user(&metadata),
        })
    }

    /// Whether a process that holds locks wrote it: other files are not ours to change. A loss of power
    /// may leave zeros.
    pub(super) fn is_ours(&self) -> bool {
        self.text.starts_with("process ") || self.text.bytes().all(|byte| byte == 0)
    }

    /// Whether it names no process.
    pub(super) fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    /// Whether this is the same taking of the lock.
    pub(super) fn is_of(&self, owner: &Owner) -> bool {
        self.owner.as_ref().is_some_and(|found| found.nonce == owner.nonce)
    }

    /// Whether nothing has changed between two readings, the heartbeat apart.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        self.text == other.text && (self.owner.is_some() || self.modified == other.modified)
    }

    /// Whether its process is known to have ended, or has not been heard of for a while by the clock of
    /// the file system. A time in the future is as old: that clock was put back, and a process at work
    /// would have written since.
    pub(super) fn is_stale(&self, now: &Now, after: Duration) -> bool {
        // Processes of other users may be hidden from this one.
        let is_known = self.user == now.user;
        let has_ended = self.owner.as_ref().is_some_and(Owner::has_ended);
        let age = now.time.duration_since(self.modified).unwrap_or_else(|error| error.duration());
        is_known && has_ended || age > after
    }

    /// Its first line, for people.
    pub(super) fn line(&self) -> String {
        match self.text.lines().next().map(str::trim) {
            Some(line) if line.starts_with("process ") => line.to_owned(),
            _ => "another process".to_owned(),
        }
    }
}

/// The time by the clock of a file system, which may be another machine's, and the user that files of
/// this process belong to.
#[derive(Debug)]
pub(super) struct Now {
    time: SystemTime,
    user: Option<u32>,
}

impl Now {
    /// The time at which an open file was written, just now.
    pub(super) fn of(file: &File) -> io::Result<Self> {
        let metadata = file.metadata()?;
        Ok(Self { time: metadata.modified()?, user: user(&metadata) })
    }
}

#[cfg(unix)]
fn user(metadata: &std::fs::Metadata) -> Option<u32> {
    use std::os::unix::fs::MetadataExt;
    Some(metadata.uid())
}

#[cfg(not(unix))]
fn user(_metadata: &std::fs::Metadata) -> Option<u32> {
    None
}

/// The same options without following a link as the last component, or waiting for a pipe.
pub(super) fn no_link(options: &mut OpenOptions) -> &mut OpenOptions {
    #[cfg(unix)]
    {
        use fs_err::os::unix::fs::OpenOptionsExt;
        let flags = rustix::fs::OFlags::NOFOLLOW | rustix::fs::OFlags::NONBLOCK;
        options.custom_flags(flags.bits().cast_signed());
    }
    options
}
