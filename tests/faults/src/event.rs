//! What a traced command did to the files below a directory, as a list of events.

use std::collections::BTreeMap;
use std::ffi::OsString;

/// The number of a file or directory, which stays the same when it is renamed and is never reused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Id(pub u32);

/// A change to the files of a traced command. Events are ordered by the ends of their calls.
///
/// A name always comes with the directory that holds it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// A file was created.
    CreateFile {
        /// Its name; `None` for a file without one.
        at: Option<(Id, OsString)>,
        /// The new file.
        file: Id,
    },
    /// A directory was created.
    CreateDirectory {
        /// Its name.
        at: (Id, OsString),
        /// The new directory.
        directory: Id,
    },
    /// Bytes were written.
    Write {
        /// The file.
        file: Id,
        /// The offset in the file.
        offset: u64,
        /// The bytes that were written.
        data: Vec<u8>,
    },
    /// A file was cut or extended with zeros.
    Resize {
        /// The file.
        file: Id,
        /// Its new length.
        length: u64,
    },
    /// A thread began to sync a file or directory. Changes that ended before are included.
    SyncBegins {
        /// The thread.
        thread: i32,
        /// The file or directory.
        id: Id,
    },
    /// The sync of this thread returned.
    SyncEnds {
        /// The thread.
        thread: i32,
        /// The file or directory.
        id: Id,
    },
    /// A file or directory was renamed, and replaced what had the new name.
    Move {
        /// The old name.
        from: (Id, OsString),
        /// The new name.
        to: (Id, OsString),
    },
    /// A file got an additional name.
    Link {
        /// The file.
        file: Id,
        /// The name.
        to: (Id, OsString),
    },
    /// A name was removed.
    Remove {
        /// The name.
        at: (Id, OsString),
    },
    /// The command wrote to its standard output, which cannot be undone.
    Printed {
        /// The bytes that it wrote.
        data: Vec<u8>,
    },
}

/// The initial state of a directory, all of it durable, and the events after that.
#[derive(Clone, Debug, Default)]
pub struct Record {
    /// The number of the directory itself.
    pub root: Option<Id>,
    /// The names in each directory.
    pub directories: BTreeMap<Id, BTreeMap<OsString, Id>>,
    /// The contents of each file.
    pub files: BTreeMap<Id, Vec<u8>>,
    /// The events, each with the index of its call among [`Trace::calls`](crate::Trace).
    pub events: Vec<(usize, Event)>,
}

impl Record {
    /// Whether the command had printed `text` before event `point`.
    #[must_use]
    pub fn had_printed(&self, text: &str, point: usize) -> bool {
        self.events.iter().take(point).any(|(_, event)| match event {
            Event::Printed { data } => String::from_utf8_lossy(data).contains(text),
            _ => false,
        })
    }
}
