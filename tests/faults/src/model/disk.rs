//! The model of a disk: replays a record, and enumerates what a loss of power may leave.

#![expect(
    clippy::indexing_slicing,
    reason = "every file has states, and ids come from the same maps"
)]

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::contents::{Change, Contents};
use super::image::{Image, Node};
use crate::error::Error;
use crate::event::{Event, Id, Record};
use crate::random::Random;

/// With more possible images than this, they are not inspected one by one.
const MOST_IMAGES: usize = 100_000;

/// The disk at one point of a record.
#[derive(Clone, Debug, Default)]
pub struct Disk {
    root: Option<Id>,
    directories: BTreeMap<Id, Directory>,
    files: BTreeMap<Id, Contents>,
    /// By thread: how many changes the file or directory had when it began to sync it.
    syncs: BTreeMap<i32, usize>,
}

type Names = BTreeMap<OsString, Id>;

/// A change to the names in one directory.
#[derive(Clone, Debug)]
enum Naming {
    Put(OsString, Id),
    Drop(OsString),
    /// Atomic within one directory.
    Rename(OsString, OsString),
}

#[derive(Clone, Debug, Default)]
struct Directory {
    durable: Names,
    pending: Vec<Naming>,
    settled: usize,
}

/// For each directory, how many of its pending changes survive.
type Surviving = BTreeMap<Id, usize>;

impl Disk {
    /// The disk before the first event.
    #[must_use]
    pub fn new(record: &Record) -> Self {
        let directory = |names: &Names| Directory { durable: names.clone(), ..Default::default() };
        let directories = record.directories.iter().map(|(id, names)| (*id, directory(names)));
        let files = record.files.iter();
        let files = files.map(|(id, contents)| (*id, Contents::on_disk(contents.clone())));
        Self {
            root: record.root,
            directories: directories.collect(),
            files: files.collect(),
            syncs: BTreeMap::new(),
        }
    }

    /// Applies the next event.
    pub fn apply(&mut self, event: &Event) {
        match event {
            Event::CreateFile { at, file } => {
                self.files.insert(*file, Contents::default());
                if let Some((directory, name)) = at {
                    self.name(*directory, Naming::Put(name.clone(), *file));
                }
            }
            Event::CreateDirectory { at: (parent, name), directory } => {
                self.directories.insert(*directory, Directory::default());
                self.name(*parent, Naming::Put(name.clone(), *directory));
            }
            Event::Write { file, offset, data } => {
                self.change(*file, Change::Write { offset: *offset, data: data.as_slice().into() });
            }
            Event::Resize { file, length } => self.change(*file, Change::Resize(*length)),
            Event::SyncBegins { thread, id } => {
                let changes = match (self.files.get(id), self.directories.get(id)) {
                    (Some(file), _) => file.changes(),
                    (_, Some(directory)) => directory.settled + directory.pending.len(),
                    _ => 0,
                };
                self.syncs.insert(*thread, changes);
            }
            Event::SyncEnds { thread, id } => {
                let changes = self.syncs.remove(thread).unwrap_or(0);
                if let Some(file) = self.files.get_mut(id) {
                    file.settle(changes);
                }
                if let Some(directory) = self.directories.get_mut(id) {
                    directory.settle(changes);
                }
            }
            Event::Move { from: (source, old), to: (target, new) } if source == target => {
                self.name(*source, Naming::Rename(old.clone(), new.clone()));
            }
            Event::Move { from: (source, old), to: (target, new) } => {
                let moved = self.directories.get(source).and_then(|d| d.live().get(old).copied());
                if let Some(moved) = moved {
                    self.name(*target, Naming::Put(new.clone(), moved));
                    self.name(*source, Naming::Drop(old.clone()));
                }
            }
            Event::Link { file, to: (directory, name) } => {
                self.name(*directory, Naming::Put(name.clone(), *file));
            }
            Event::Remove { at: (directory, name) } => {
                self.name(*directory, Naming::Drop(name.clone()));
            }
            Event::Printed { .. } => {}
        }
    }

    fn name(&mut self, directory: Id, naming: Naming) {
        self.directories.entry(directory).or_default().pending.push(naming);
    }

    fn change(&mut self, file: Id, change: Change) {
        self.files.entry(file).or_default().change(change);
    }

    /// The files that a reader sees as long as there is power.
    #[must_use]
    pub fn live(&self) -> Image {
        self.build(&self.all_surviving(), &|_, file| file.live())
    }

    /// Calls `inspect` with every image that a loss of power may leave here, and returns their number.
    ///
    /// The losses in the directories are combined in every way. The files are varied one at a
    /// time, with as much as possible of all others lost, and with as much as possible surviving.
    ///
    /// # Errors
    /// [`Error::TooManyImages`]; take [`sample`](Self::sample) then.
    pub fn after_loss(&self, mut inspect: impl FnMut(&Image)) -> Result<usize, Error> {
        let states: BTreeMap<Id, Vec<Arc<[u8]>>> =
            self.files.iter().map(|(id, file)| (*id, file.after_loss())).collect();
        let varied: Vec<(Id, usize)> = states
            .iter()
            .flat_map(|(id, states)| (0..states.len()).map(|index| (*id, index)))
            .collect();
        let ways: usize = self.directories.values().map(|d| d.pending.len() + 1).product();
        let images = ways.saturating_mul(2 * varied.len().max(1));
        if images > MOST_IMAGES {
            return Err(Error::TooManyImages { images });
        }
        let mut count = 0;
        for way in 0..ways {
            let surviving = self.way(way);
            for others_lost in [true, false] {
                let mut last = None;
                for (file, index) in &varied {
                    let image = self.build(&surviving, &|id, _| {
                        let states = &states[&id];
                        let index = match (id == *file, others_lost) {
                            (true, _) => *index,
                            (false, true) => 0,
                            (false, false) => states.len() - 1,
                        };
                        Arc::clone(&states[index])
                    });
                    // Many files have only one state, or no name.
                    if last.as_ref() != Some(&image) {
                        inspect(&image);
                        count += 1;
                    }
                    last = Some(image);
                }
            }
        }
        Ok(count)
    }

    /// A random image among those that a loss of power may leave.
    #[must_use]
    pub fn sample(&self, random: &mut Random) -> Image {
        let surviving = self.directories.iter();
        let surviving = surviving.map(|(id, d)| (*id, random.below(d.pending.len() + 1))).collect();
        let mut contents: BTreeMap<Id, Arc<[u8]>> = BTreeMap::new();
        for (id, file) in &self.files {
            let states = file.after_loss();
            let index = random.below(states.len());
            contents.insert(*id, Arc::clone(&states[index]));
        }
        self.build(&surviving, &|id, _| Arc::clone(&contents[&id]))
    }

    fn all_surviving(&self) -> Surviving {
        self.directories.iter().map(|(id, d)| (*id, d.pending.len())).collect()
    }

    /// The combination of losses with this number.
    fn way(&self, mut number: usize) -> Surviving {
        let mut surviving = Surviving::new();
        for (id, directory) in &self.directories {
            let choices = directory.pending.len() + 1;
            surviving.insert(*id, number % choices);
            number /= choices;
        }
        surviving
    }

    fn build(&self, surviving: &Surviving, contents: &dyn Fn(Id, &Contents) -> Arc<[u8]>) -> Image {
        let mut image = Image::default();
        let mut walk: Vec<(PathBuf, Id)> =
            self.root.map(|id| (PathBuf::new(), id)).into_iter().collect();
        while let Some((path, id)) = walk.pop() {
            let Some(directory) = self.directories.get(&id) else { continue };
            let names = directory.with(surviving.get(&id).copied().unwrap_or(0));
            for (name, id) in names {
                let path = Path::new(&path).join(name);
                if let Some(file) = self.files.get(&id) {
                    image.nodes.insert(path, Node::File(contents(id, file)));
                } else {
                    image.nodes.insert(path.clone(), Node::Directory);
                    walk.push((path, id));
                }
            }
        }
        image
    }
}

impl Directory {
    fn settle(&mut self, changes: usize) {
        let new = changes.saturating_sub(self.settled).min(self.pending.len());
        self.durable = self.with(new);
        self.pending.drain(..new);
        self.settled += new;
    }

    fn live(&self) -> Names {
        self.with(self.pending.len())
    }

    /// The names after the first `changes` pending changes.
    fn with(&self, changes: usize) -> Names {
        let mut names = self.durable.clone();
        for naming in self.pending.iter().take(changes) {
            match naming {
                Naming::Put(name, id) => drop(names.insert(name.clone(), *id)),
                Naming::Drop(name) => drop(names.remove(name)),
                Naming::Rename(old, new) => {
                    if let Some(id) = names.remove(old) {
                        names.insert(new.clone(), id);
                    }
                }
            }
        }
        names
    }
}
