use std::collections::BTreeMap;
use std::ffi::OsString;

/// A file or directory, whatever its names; no number is given out twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Id(pub u32);

/// Something that happened to the files of a traced command, in the order of its ends.
///
/// A name is always given with the directory that holds it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// A file was created.
    CreateFile {
        /// Where; nothing for a file without a name.
        at: Option<(Id, OsString)>,
        /// The new file.
        file: Id,
    },
    /// A directory was created.
    CreateDirectory {
        /// Where.
        at: (Id, OsString),
        /// The new directory.
        directory: Id,
    },
    /// Bytes were written.
    Write {
        /// The file.
        file: Id,
        /// Where in the file.
        offset: u64,
        /// What arrived.
        data: Vec<u8>,
    },
    /// A file was cut or extended with zeros.
    Resize {
        /// The file.
        file: Id,
        /// Its new length.
        length: u64,
    },
    /// A thread began to bring a file or directory to disk. What ended before is included.
    SyncBegins {
        /// The thread.
        thread: i32,
        /// The file or directory.
        id: Id,
    },
    /// The same thread was told that this is done.
    SyncEnds {
        /// The thread.
        thread: i32,
        /// The file or directory.
        id: Id,
    },
    /// A file or directory got another name, in place of what had it.
    Move {
        /// The name that it had.
        from: (Id, OsString),
        /// The name that it has.
        to: (Id, OsString),
    },
    /// A file got one more name.
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
    /// The command wrote to its standard output, which cannot be taken back.
    Told {
        /// What it wrote.
        data: Vec<u8>,
    },
}

/// A directory as it was found, all of it on disk, and what happened to it then.
#[derive(Clone, Debug, Default)]
pub struct Record {
    /// The directory's own number.
    pub root: Option<Id>,
    /// Each directory's names.
    pub directories: BTreeMap<Id, BTreeMap<OsString, Id>>,
    /// Each file's contents.
    pub files: BTreeMap<Id, Vec<u8>>,
    /// What happened, each with the index of its call among [`Trace::calls`](crate::Trace).
    pub events: Vec<(usize, Event)>,
}

impl Record {
    /// Whether the command had told `text` before event `point`.
    #[must_use]
    pub fn had_told(&self, text: &str, point: usize) -> bool {
        self.events.iter().take(point).any(|(_, event)| match event {
            Event::Told { data } => String::from_utf8_lossy(data).contains(text),
            _ => false,
        })
    }
}
