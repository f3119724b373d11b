//! The reader of PyTorch files: version 0.x, and what this crate exports.
//!
//! A file is a pickle and the memory of its tensors. The pickle is run by a machine of our own
//! that makes data and nothing else ([`pickle`]); the memory lies in the records of an archive
//! ([`archive`]) or, in pre-1.6 (non-zip) files, behind the pickle ([`legacy`]). What the values mean
//! is decided in [`contents`].

use super::container::{Container, Input, Integrity, Origin};
use super::window::Window;
use crate::budget::Budget;
use crate::checkpoint::Checkpoint;
use crate::error::kind::ErrorKind;
use crate::header::Header;
use crate::limits;
use crate::tensor::Tensor;

mod archive;
mod contents;
#[cfg(test)]
mod forged;
mod legacy;
mod numpy;
mod pickle;
mod shown;
mod source;
mod storages;
mod strided;
mod tensors;

use archive::Archive;
use archive::directory::PICKLE;
use contents::Contents;
use legacy::Legacy;
use source::Source;
use tensors::StorageCache;

/// A PyTorch file whose pickle was run.
pub(crate) struct TorchFile<R> {
    source: Source<R>,
    contents: Contents,
    /// Storages that several tensors are pieces of; only of a small file, which they are no more than.
    shared: StorageCache,
    is_small: bool,
}

/// The longest file whose shared storages are kept while it is open, in bytes.
const SMALL_BYTES: u64 = 64 << 20;

impl<R: Input> TorchFile<R> {
    /// Opens an archive.
    pub(crate) fn open(reader: R, origin: Origin<'_>) -> Result<Self, ErrorKind> {
        let Origin { length_bytes, limits, .. } = origin;
        limits::check("total_bytes", limits.total_bytes, length_bytes)?;
        let budget = Budget::new(limits, length_bytes);
        let mut archive = Archive::open(Window::new(reader, length_bytes), limits, &budget)?;
        let Some(index) = archive.find(PICKLE.as_bytes()) else {
            return Err(ErrorKind::bad_archive(PICKLE, "one such record", "none"));
        };
        limits::check("pickle_bytes", limits.pickle_bytes, archive.length(index))?;
        let block = archive.block(index, PICKLE.as_bytes())?;
        let tree = pickle::unpickle(block.bytes(), PICKLE, limits, &budget)?;
        let source = Source::Archive(archive);
        let contents = contents::contents(&tree, &source, origin)?;
        Ok(Self::new(source, contents, length_bytes))
    }

    /// Opens a pre-1.6 (non-zip) file.
    pub(crate) fn open_legacy(reader: R, origin: Origin<'_>) -> Result<Self, ErrorKind> {
        let Origin { length_bytes, limits, .. } = origin;
        limits::check("total_bytes", limits.total_bytes, length_bytes)?;
        let mut window = Window::new(reader, length_bytes);
        let block = legacy::read(&mut window, limits)?;
        let budget = Budget::new(limits, length_bytes);
        let pickles = legacy::pickles(block.bytes(), limits, &budget)?;
        contents::admit(&pickles.tree, origin.weights_only)?;
        let source = Source::Legacy(Legacy::open(window, &pickles)?);
        let contents = contents::contents(&pickles.tree, &source, origin)?;
        Ok(Self::new(source, contents, length_bytes))
    }

    fn new(source: Source<R>, contents: Contents, length_bytes: u64) -> Self {
        let is_small = length_bytes <= SMALL_BYTES;
        Self { source, contents, shared: StorageCache::new(), is_small }
    }
}

impl<R: Input> Container for TorchFile<R> {
    fn header(&self) -> &Header {
        &self.contents.header
    }

    fn into_header(self: Box<Self>) -> Header {
        self.contents.header
    }

    fn integrity(&self) -> Integrity {
        self.source.integrity()
    }

    fn ids(&mut self) -> Result<Vec<String>, ErrorKind> {
        let mut ids = Vec::new();
        let bytes = self.contents.ids.len() as u64;
        let memory = |_| ErrorKind::out_of_memory("ids", bytes);
        ids.try_reserve_exact(self.contents.ids.len()).map_err(memory)?;
        ids.extend(self.contents.ids.iter().cloned());
        Ok(ids)
    }

    fn tensor(&mut self, section: usize) -> Result<Tensor, ErrorKind> {
        let Self { source, contents, shared, is_small } = self;
        // The ids are the first section.
        contents.plans.tensor(section.wrapping_sub(1), source, is_small.then_some(shared))
    }

    fn verify(&mut self) -> Result<(), ErrorKind> {
        self.source.verify()
    }

    fn scan(&mut self, each: &mut dyn FnMut(usize, &[u8])) -> Result<Vec<String>, ErrorKind> {
        for section in 1..self.contents.header.sections.len() {
            each(section, self.tensor(section)?.bytes());
        }
        self.source.verify_rest()?;
        self.ids()
    }

    fn load(self: Box<Self>) -> Result<Checkpoint, ErrorKind> {
        let Self { mut source, contents, mut shared, .. } = *self;
        let Contents { header, ids, plans } = contents;
        let tensors = 0..header.sections.len().saturating_sub(1);
        let tensors = tensors.map(|index| plans.tensor(index, &mut source, Some(&mut shared)));
        let tensors = tensors.collect::<Result<_, _>>()?;
        // What no tensor needs is a part of the file all the same.
        source.verify_rest()?;
        Ok(Checkpoint::from_parts(header, ids, tensors))
    }
}

#[cfg(test)]
mod tests {
    use vnp_forge::items::*;

    use super::*;
    use crate::read::torch::forged::*;

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
        let Err(ErrorKind::CrcMismatch { record, .. }) = file.tensor(2) else {
            panic!("a flipped bit was read")
        };
        assert_eq!(record, "data/1");
        let Err(ErrorKind::CrcMismatch { .. }) = file.verify() else { panic!("it was not seen") };
        let Err(ErrorKind::CrcMismatch { .. }) = load(&bytes) else { panic!("it was loaded") };
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
            let Err(ErrorKind::CrcMismatch { record, .. }) = opened.tensor(1) else {
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
        let Err(ErrorKind::CrcMismatch { .. }) = load(&bytes) else { panic!("it was loaded") };
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
