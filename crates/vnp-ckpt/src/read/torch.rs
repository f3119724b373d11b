//! The reader of PyTorch files: version 0.x, and what this crate exports.
//!
//! A file is a pickle and the memory of its tensors. The pickle is run by a machine of our own
//! that makes data and nothing else ([`pickle`]); the memory lies in the records of an archive
//! ([`archive`]) or, in files of before 1.6, behind the pickle ([`legacy`]). What the values mean
//! is decided in [`contents`].

use std::path::PathBuf;

use super::container::{Container, Input, Integrity, Origin};
use crate::header::Header;
use crate::{Checkpoint, Error, Limits, Tensor};

mod archive;
mod contents;
mod context;
#[cfg(test)]
mod forge;
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

    fn read(&mut self, place: usize, kept: Option<&mut Kept>) -> Result<Tensor, Error> {
        let context = Context { path: &self.path, limits: &self.limits };
        self.contents.plans.tensor(place, &mut self.source, kept, context)
    }

    fn context(&self) -> Context<'_> {
        Context { path: &self.path, limits: &self.limits }
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
        let memory = |_| self.context().out_of_memory("ids", bytes);
        ids.try_reserve_exact(self.contents.ids.len()).map_err(memory)?;
        ids.extend(self.contents.ids.iter().cloned());
        Ok(ids)
    }

    fn tensor(&mut self, section: usize) -> Result<Tensor, Error> {
        // The ids are the first section.
        self.read(section.wrapping_sub(1), None)
    }

    fn verify(&mut self) -> Result<(), Error> {
        let context = Context { path: &self.path, limits: &self.limits };
        self.source.verify(context)
    }

    fn load(mut self: Box<Self>) -> Result<Checkpoint, Error> {
        let mut kept = Kept::new();
        let tensors = 1..self.contents.header.sections.len();
        let tensors = tensors.map(|section| self.read(section - 1, Some(&mut kept)));
        let tensors = tensors.collect::<Result<_, _>>()?;
        // What no tensor needs is a part of the file all the same.
        let context = Context { path: &self.path, limits: &self.limits };
        self.source.verify_rest(context)?;
        Ok(Checkpoint::from_parts(self.contents.header, self.contents.ids, tensors))
    }
}

#[cfg(test)]
mod tests {
    use super::forge::*;
    use super::*;

    fn two_tensors() -> Vec<u8> {
        let value = dict(&[("a", tensor("0", &[2])), ("b", tensor("1", &[2, 1]))]);
        archive(&pickle(&value), &[("0", &bytes(&[1.0, 2.0])), ("1", &[7; 8])])
    }

    /// The file with a bit of the second storage flipped.
    fn damaged(mut file: Vec<u8>) -> Vec<u8> {
        let place = file.windows(8).position(|bytes| bytes == [7; 8]).unwrap();
        file[place] ^= 1;
        file
    }

    #[test]
    fn one_tensor_is_read_without_the_others() {
        let bytes = damaged(two_tensors());
        let mut file = open(&bytes).unwrap();
        assert_eq!(file.integrity(), Integrity::Crc32);
        assert_eq!(file.tensor(1).unwrap().as_f32().unwrap(), [1.0, 2.0]);
        let Err(Error::CrcMismatch { record, .. }) = file.tensor(2) else {
            panic!("a flipped bit was read")
        };
        assert_eq!(record, "data/1");
        let Err(Error::CrcMismatch { .. }) = file.verify() else { panic!("it was not seen") };
        let Err(Error::CrcMismatch { .. }) = load(&bytes) else { panic!("it was loaded") };
    }

    /// Slices of one storage, as a fused weight or a flat list of parameters is saved.
    #[test]
    fn a_piece_of_a_storage_is_read_without_the_rest() {
        let whole = || storage("0", "Float", 6, &[]);
        let value = dict(&[
            ("a", view(whole(), 1, &[2], &[1])),
            ("b", view(whole(), 1, &[2, 2], &[1, 2])),
            ("c", view(whole(), 6, &[0], &[1])),
            ("d", view(whole(), 0, &[6], &[1])),
        ]);
        let numbers = bytes(&[0.0, 1.0, 2.0, 3.0, 4.0, 5.0]);
        let mut file = archive(&pickle(&value), &[("0", &numbers)]);
        let mut opened = open(&file).unwrap();
        for _ in 0..2 {
            let mut check = |section, expected: &[f32]| {
                assert_eq!(opened.tensor(section).unwrap().as_f32().unwrap(), expected);
            };
            check(1, &[1.0, 2.0]);
            check(2, &[1.0, 3.0, 2.0, 4.0]);
            check(3, &[]);
            check(4, &[0.0, 1.0, 2.0, 3.0, 4.0, 5.0]);
        }
        opened.verify().unwrap();
        // What no piece holds is proved all the same.
        let last = file.windows(4).position(|found| found == 5_f32.to_le_bytes()).unwrap();
        file[last] ^= 1;
        let mut opened = open(&file).unwrap();
        for _ in 0..2 {
            let Err(Error::CrcMismatch { record, .. }) = opened.tensor(1) else {
                panic!("a piece of a damaged storage was read")
            };
            assert_eq!(record, "data/0");
        }
    }

    #[test]
    fn what_no_tensor_needs_is_compared_all_the_same() {
        let whole = archive(&pickle(b"}"), &[("0", &[7; 8])]);
        assert_eq!(load(&whole).unwrap().kind(), "values");
        let bytes = damaged(whole);
        assert_eq!(open(&bytes).unwrap().header().kind, "values");
        let Err(Error::CrcMismatch { .. }) = load(&bytes) else { panic!("it was loaded") };
    }

    #[test]
    fn places_that_are_no_tensors() {
        let mut file = open(&two_tensors()).unwrap();
        assert!(file.tensor(0).is_err() && file.tensor(3).is_err());
    }

    #[test]
    fn time_and_producer_are_what_is_known() {
        let file = open(&two_tensors()).unwrap();
        assert_eq!(file.header().created, "2026-01-31T23:59:59Z");
        assert_eq!(file.header().producer.name, "PyTorch");
        assert_eq!(file.header().sections[2].length, 8);
    }
}
