//! Turns the system calls of a traced command into events on files.

use std::collections::{BTreeMap, HashMap};
use std::ffi::OsString;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use fs_err as fs;
use nix::libc;

use super::table::{Does, Row};
use super::tracee::{Registers, Tracee};
use crate::error::Error;
use crate::event::{Event, Id, Record};
use crate::model::{Disk, Image};

/// Records the changes to the files below a directory.
#[derive(Debug)]
pub(super) struct Recorder {
    root: PathBuf,
    record: Record,
    /// By device and inode. The system reuses the inode of a removed file.
    ids: HashMap<(u64, u64), Id>,
    next: u32,
}

/// What a call is about to do, as far as it is known at its beginning.
#[derive(Debug, Default)]
pub(super) enum Intent {
    #[default]
    Nothing,
    Open {
        path: PathBuf,
        flags: i32,
        existed: bool,
    },
    Write {
        file: Id,
        offset: u64,
        data: Vec<(u64, usize)>,
    },
    Print {
        data: Vec<(u64, usize)>,
    },
    Sync {
        id: Id,
    },
    MakeDirectory {
        path: PathBuf,
    },
    /// The event is complete already.
    Known(Event),
    NotModelled {
        path: PathBuf,
    },
}

/// A directory, and a name in it.
type Entry = (Id, OsString);

impl Recorder {
    /// Starts a record with the present files below `root`.
    pub(super) fn new(root: &Path) -> Result<Self, Error> {
        let mut recorder =
            Self { root: root.to_owned(), record: Record::default(), ids: HashMap::new(), next: 0 };
        let id = recorder.new_id(&fs::metadata(root)?);
        recorder.record.root = Some(id);
        recorder.scan(root, id)?;
        Ok(recorder)
    }

    fn scan(&mut self, directory: &Path, id: Id) -> Result<(), Error> {
        let mut names = BTreeMap::new();
        for entry in fs::read_dir(directory)? {
            let entry = entry?;
            let (path, kind) = (entry.path(), entry.file_type()?);
            let metadata = fs::symlink_metadata(&path)?;
            let known = self.ids.get(&(metadata.dev(), metadata.ino())).copied();
            let entry_id = known.unwrap_or_else(|| self.new_id(&metadata));
            names.insert(entry.file_name(), entry_id);
            if kind.is_dir() {
                self.scan(&path, entry_id)?;
            } else if kind.is_file() {
                self.record.files.insert(entry_id, fs::read(&path)?);
            } else {
                return Err(Error::NotModelled { call: "a link or device", path });
            }
        }
        self.record.directories.insert(id, names);
        Ok(())
    }

    /// What a call is about to do to files. `paths` are those that it names.
    pub(super) fn begin(
        &self,
        tracee: Tracee,
        row: &Row,
        registers: &Registers,
        paths: &[PathBuf],
    ) -> Result<Intent, Error> {
        let Some(path) = paths.first().filter(|_| self.any_below(paths)) else {
            // Standard output, unless it leads to one of the files.
            return Ok(match row.does {
                Does::Write { offset: None, vector } if registers.argument(0) == 1 => {
                    Intent::Print { data: pieces(tracee, registers, vector)? }
                }
                _ => Intent::Nothing,
            });
        };
        let refuse = || Ok(Intent::NotModelled { path: path.clone() });
        if !paths.iter().all(|path| path.starts_with(&self.root)) {
            return refuse();
        }
        let second = paths.get(1).unwrap_or(path);
        let open_file = || fs::metadata(tracee.descriptor(registers.argument(0)));
        Ok(match row.does {
            Does::Look | Does::Describe => Intent::Nothing,
            Does::Unknown => return refuse(),
            Does::Map => {
                let writes = registers.argument(2) & libc::PROT_WRITE as u64 != 0;
                let shared = registers.argument(3) & libc::MAP_SHARED as u64 != 0;
                if writes && shared {
                    return refuse();
                }
                Intent::Nothing
            }
            Does::Open { flags } => {
                let flags = registers.argument(flags) as i32;
                if flags & libc::O_DSYNC != 0 {
                    return refuse();
                }
                let existed = path.symlink_metadata().is_ok();
                Intent::Open { path: path.clone(), flags, existed }
            }
            Does::Write { offset, vector } => {
                let metadata = open_file()?;
                let (position, flags) = tracee.position(registers.argument(0))?;
                let offset = match offset {
                    _ if flags & libc::O_APPEND != 0 => metadata.len(),
                    Some(argument) => registers.argument(argument),
                    None => position,
                };
                let data = pieces(tracee, registers, vector)?;
                Intent::Write { file: self.id(&metadata, path)?, offset, data }
            }
            Does::Truncate => {
                let metadata = match row.name {
                    "ftruncate" => open_file()?,
                    _ => fs::metadata(path)?,
                };
                let length = registers.argument(1);
                Intent::Known(Event::Resize { file: self.id(&metadata, path)?, length })
            }
            Does::Allocate => {
                let metadata = open_file()?;
                let end = registers.argument(2) + registers.argument(3);
                match registers.argument(1) as i32 {
                    0 => {
                        let (file, length) = (self.id(&metadata, path)?, end.max(metadata.len()));
                        Intent::Known(Event::Resize { file, length })
                    }
                    libc::FALLOC_FL_KEEP_SIZE => Intent::Nothing,
                    _ => return refuse(),
                }
            }
            Does::Sync => Intent::Sync { id: self.id(&open_file()?, path)? },
            Does::Move { flags } => {
                let flags = flags.map_or(0, |flags| registers.argument(flags));
                if flags & !u64::from(libc::RENAME_NOREPLACE) != 0 {
                    return refuse();
                }
                let (Some(from), Some(to)) = (self.entry(path)?, self.entry(second)?) else {
                    return Ok(Intent::Nothing);
                };
                Intent::Known(Event::Move { from, to })
            }
            Does::Link => match (path.symlink_metadata(), self.entry(second)?) {
                (Ok(metadata), Some(to)) => {
                    Intent::Known(Event::Link { file: self.id(&metadata, path)?, to })
                }
                _ => Intent::Nothing,
            },
            Does::Remove => match self.entry(path)? {
                Some(at) => Intent::Known(Event::Remove { at }),
                None => Intent::Nothing,
            },
            Does::MakeDirectory => Intent::MakeDirectory { path: path.clone() },
        })
    }

    /// Records the beginning of a sync: only changes that ended before are included.
    pub(super) fn begun(&mut self, call: usize, thread: i32, intent: &Intent) {
        if let Intent::Sync { id } = intent {
            self.add(call, Event::SyncBegins { thread, id: *id });
        }
    }

    /// Records what a call did, at its end.
    pub(super) fn end(
        &mut self,
        tracee: Tracee,
        call: (usize, &'static str),
        intent: Intent,
        result: i64,
    ) -> Result<(), Error> {
        if result < 0 {
            return Ok(());
        }
        let thread = tracee.0.as_raw();
        let event = match intent {
            Intent::Nothing => return Ok(()),
            Intent::NotModelled { path } => {
                return Err(Error::NotModelled { call: call.1, path });
            }
            Intent::Open { path, flags, existed } => {
                let metadata = fs::metadata(tracee.descriptor(result.cast_unsigned()))?;
                let unnamed = flags & libc::O_TMPFILE == libc::O_TMPFILE;
                if unnamed || (flags & libc::O_CREAT != 0 && !existed) {
                    let at = if unnamed { None } else { self.entry(&path)? };
                    Event::CreateFile { at, file: self.new_id(&metadata) }
                } else if flags & libc::O_TRUNC != 0 {
                    Event::Resize { file: self.id(&metadata, &path)?, length: 0 }
                } else {
                    return Ok(());
                }
            }
            Intent::MakeDirectory { path } => {
                let directory = self.new_id(&fs::symlink_metadata(&path)?);
                let Some(at) = self.entry(&path)? else { return Ok(()) };
                Event::CreateDirectory { at, directory }
            }
            Intent::Write { file, offset, data } => {
                Event::Write { file, offset, data: first(tracee, &data, result as usize)? }
            }
            Intent::Print { data } => {
                Event::Printed { data: first(tracee, &data, result as usize)? }
            }
            Intent::Sync { id } => Event::SyncEnds { thread, id },
            Intent::Known(event) => event,
        };
        self.add(call.0, event);
        Ok(())
    }

    /// The record, after comparing it with the present files.
    pub(super) fn finish(self, undisturbed: bool) -> Result<Record, Error> {
        if undisturbed {
            let mut disk = Disk::new(&self.record);
            self.record.events.iter().for_each(|(_, event)| disk.apply(event));
            let (model, real) = (disk.live(), Image::read(&self.root)?);
            let paths = model.nodes.keys().chain(real.nodes.keys());
            let differs = |path: &&PathBuf| model.nodes.get(*path) != real.nodes.get(*path);
            if let Some(path) = paths.clone().find(differs) {
                return Err(Error::NotModelled { call: "something", path: path.clone() });
            }
        }
        Ok(self.record)
    }

    fn add(&mut self, call: usize, event: Event) {
        self.record.events.push((call, event));
    }

    fn any_below(&self, paths: &[PathBuf]) -> bool {
        paths.iter().any(|path| path.starts_with(&self.root))
    }

    /// The directory that holds a name, and the name; `None` if there is no such directory.
    fn entry(&self, path: &Path) -> Result<Option<Entry>, Error> {
        let (Some(parent), Some(name)) = (path.parent(), path.file_name()) else {
            return Ok(None);
        };
        match parent.metadata() {
            Ok(metadata) => Ok(Some((self.id(&metadata, parent)?, name.to_owned()))),
            Err(_) => Ok(None),
        }
    }

    fn id(&self, metadata: &std::fs::Metadata, path: &Path) -> Result<Id, Error> {
        let id = self.ids.get(&(metadata.dev(), metadata.ino())).copied();
        let unknown = || Error::NotModelled { call: "use", path: path.to_owned() };
        id.ok_or_else(unknown)
    }

    fn new_id(&mut self, metadata: &std::fs::Metadata) -> Id {
        let id = Id(self.next);
        self.next += 1;
        self.ids.insert((metadata.dev(), metadata.ino()), id);
        id
    }
}

/// The addresses and lengths of the data of a write.
fn pieces(tracee: Tracee, registers: &Registers, vector: bool) -> Result<Vec<(u64, usize)>, Error> {
    let (address, amount) = (registers.argument(1), registers.argument(2) as usize);
    if !vector {
        return Ok(vec![(address, amount)]);
    }
    let table = tracee.memory(address, amount * 16)?;
    let (words, _) = table.as_chunks::<8>();
    let words: Vec<u64> = words.iter().map(|word| u64::from_le_bytes(*word)).collect();
    let (pairs, _) = words.as_chunks::<2>();
    Ok(pairs.iter().map(|[address, length]| (*address, *length as usize)).collect())
}

/// The first `amount` bytes of the pieces.
fn first(tracee: Tracee, pieces: &[(u64, usize)], amount: usize) -> Result<Vec<u8>, Error> {
    let mut data = Vec::new();
    for (address, length) in pieces {
        let length = (*length).min(amount - data.len());
        data.extend(tracee.memory(*address, length)?);
    }
    Ok(data)
}
