//! The reader of PyTorch files: version 0.x, and what this crate exports.
//!
//! A file is a pickle and the memory of its tensors. The pickle is run by a machine of our own
//! that makes data and nothing else ([`pickle`]); the memory lies in the records of an archive
//! ([`archive`]) or, in files of before 1.6, behind the pickle ([`legacy`]). What the values mean
//! is decided in [`contents`].

use std::path::{Path, PathBuf};

use super::container::{Container, Input, Integrity, Origin};
use crate::header::Header;
use crate::{Checkpoint, Error, Limits, Tensor};

mod archive;
mod contents;
mod context;
mod legacy;
mod numpy;
mod pickle;
mod source;
mod storages;
mod strided;
mod tensors;
mod window;

use archive::{Archive, PICKLE};
use contents::Contents;
use context::Context;
use legacy::Legacy;
use source::Source;
use tensors::Kept;
use window::Window;

/// A PyTorch file whose pickle was run.
pub(crate) struct TorchFile<R> {
    path: PathBuf,
    limits: Limits,
    source: Source<R>,
    contents: Contents,
}

impl<R: Input> TorchFile<R> {
    /// Opens an archive.
    pub(crate) fn open(reader: R, origin: Origin<'_>) -> Result<Self, Error> {
        let context = Context { path: origin.path, limits: origin.limits };
        context.limit("total_bytes", origin.limits.total_bytes, origin.length_bytes)?;
        let mut archive = Archive::open(Window::new(reader, origin.length_bytes), context)?;
        let Some(place) = archive.find(PICKLE.as_bytes()) else {
            return Err(context.bad_archive(PICKLE, "one such record", "none"));
        };
        context.limit("pickle_bytes", origin.limits.pickle_bytes, archive.length(place))?;
        let block = archive.block(place, PICKLE.as_bytes(), context)?;
        let tree = pickle::unpickle(block.bytes(), PICKLE, context)?;
        let source = Source::Archive(archive);
        let contents = contents::contents(&tree, &source, origin)?;
        Ok(Self::new(source, contents, origin))
    }

    /// Opens a file of before archives.
    pub(crate) fn open_legacy(reader: R, origin: Origin<'_>) -> Result<Self, Error> {
        let context = Context { path: origin.path, limits: origin.limits };
        context.limit("total_bytes", origin.limits.total_bytes, origin.length_bytes)?;
        let mut window = Window::new(reader, origin.length_bytes);
        let block = legacy::read(&mut window, context)?;
        let pickles = legacy::pickles(block.bytes(), context)?;
        contents::admit(&pickles.tree, context)?;
        let source = Source::Legacy(Legacy::open(window, &pickles, context)?);
        let contents = contents::contents(&pickles.tree, &source, origin)?;
        Ok(Self::new(source, contents, origin))
    }

    fn new(source: Source<R>, contents: Contents, origin: Origin<'_>) -> Self {
        let (path, limits) = (origin.path.to_owned(), origin.limits.clone());
        Self { path, limits, source, contents }
    }

    fn read(&mut self, place: usize, kept: &mut Kept) -> Result<Tensor, Error> {
        let context = Context { path: &self.path, limits: &self.limits };
        self.contents.plans.tensor(place, &mut self.source, kept, context)
    }

    fn path(&self) -> &Path {
        &self.path
    }
}

impl<R: Input> Container for TorchFile<R> {
    fn header(&self) -> &Header {
        &self.contents.header
    }

    fn integrity(&self) -> Integrity {
        self.source.integrity()
    }

    fn ids(&mut self) -> Result<Vec<String>, Error> {
        let mut ids = Vec::new();
        let bytes = self.contents.ids.len() as u64;
        let memory =
            |_| Context { path: self.path(), limits: &self.limits }.out_of_memory("ids", bytes);
        ids.try_reserve_exact(self.contents.ids.len()).map_err(memory)?;
        ids.extend(self.contents.ids.iter().cloned());
        Ok(ids)
    }

    fn tensor(&mut self, section: usize) -> Result<Tensor, Error> {
        // The ids are the first section.
        self.read(section.wrapping_sub(1), &mut Kept::new())
    }

    fn verify(&mut self) -> Result<(), Error> {
        let context = Context { path: &self.path, limits: &self.limits };
        self.source.verify(context)
    }

    fn load(mut self: Box<Self>) -> Result<Checkpoint, Error> {
        let mut kept = Kept::new();
        let tensors = 1..self.contents.header.sections.len();
        let tensors = tensors.map(|section| self.read(section - 1, &mut kept));
        let tensors = tensors.collect::<Result<_, _>>()?;
        // What no tensor needs is a part of the file all the same.
        let context = Context { path: &self.path, limits: &self.limits };
        self.source.verify_rest(context)?;
        Ok(Checkpoint::from_parts(self.contents.header, self.contents.ids, tensors))
    }
}
