//! The ZIP archive that PyTorch writes: stored records, nothing compressed, nothing hidden.
//!
//! Of ZIP this reads what `torch.save` writes and refuses the rest: a record has one place, one
//! name and one entry in the directory, and all of them lie one behind the other.

use std::collections::HashMap;

use super::super::container::{Input, Integrity};
use super::context::{Context, shown};
use super::window::{STEP_BYTES, Window};
use crate::Error;
use crate::tensor::block::Block;

mod checked;
mod directory;
mod end;

use checked::{read_beside_crc, read_plain, read_with_crc};
use directory::Record;

/// From this length on the CRC of a record is computed by a thread of its own.
const BESIDE_BYTES: usize = 8 << 20;

/// The record with the pickle, below the archive's folder.
pub(crate) const PICKLE: &str = "data.pkl";

/// An open archive.
pub(crate) struct Archive<R> {
    window: Window<R>,
    /// By place in the file.
    records: Vec<Record>,
    /// By name below the folder.
    places: HashMap<Box<[u8]>, u32>,
    folder: Box<[u8]>,
    /// Whether CRCs were written.
    has_crcs: bool,
    /// Which records were read and compared.
    seen: Vec<bool>,
}

impl<R: Input> Archive<R> {
    /// Reads the directory and checks that it makes sense; no record is read but `byteorder`.
    pub(crate) fn open(mut window: Window<R>, context: Context<'_>) -> Result<Self, Error> {
        let end = end::read(&mut window, context)?;
        let bytes = directory::bytes(&mut window, &end, context)?;
        let (records, names) = directory::records(bytes.bytes(), &end, context)?;
        let folder = directory::folder(&names, context)?;
        let places = directory::places(&names, folder, context)?;
        let has_crcs = records.iter().any(|record| record.crc != 0);
        let (folder, seen) = (folder.into(), vec![false; records.len()]);
        let mut archive = Self { window, records, places, folder, has_crcs, seen };
        archive.check_kind(context)?;
        Ok(archive)
    }

    /// What proves the records.
    pub(crate) fn integrity(&self) -> Integrity {
        if self.has_crcs { Integrity::Crc32 } else { Integrity::Unverified }
    }

    /// The place of a record by its name below the archive's folder.
    pub(crate) fn find(&self, name: &[u8]) -> Option<u32> {
        self.places.get(name).copied()
    }

    /// The length of a record, in bytes.
    pub(crate) fn length(&self, place: u32) -> u64 {
        self.records.get(place as usize).map_or(0, |record| record.length)
    }

    /// Fills `into`, which is as long as the record, and compares the CRC.
    pub(crate) fn read(
        &mut self,
        place: u32,
        name: &[u8],
        into: &mut [u8],
        context: Context<'_>,
    ) -> Result<(), Error> {
        let Some(record) = self.records.get(place as usize) else {
            return Err(context.bad_archive(shown(name), "a record", "none"));
        };
        let offset = record.data(&mut self.window, &self.folder, name, context)?;
        let read = match (self.has_crcs, into.len() >= BESIDE_BYTES) {
            (false, _) => read_plain(&mut self.window, offset, into).map(|()| record.crc),
            (true, false) => read_with_crc(&mut self.window, offset, into),
            (true, true) => read_beside_crc(&mut self.window, offset, into),
        };
        let crc = read.map_err(|source| context.io(source))?;
        if crc != record.crc {
            return Err(Error::CrcMismatch { path: context.path.to_owned(), record: shown(name) });
        }
        if let Some(seen) = self.seen.get_mut(place as usize) {
            *seen = true;
        }
        Ok(())
    }

    /// Reads a record into memory of its own.
    pub(crate) fn block(
        &mut self,
        place: u32,
        name: &[u8],
        context: Context<'_>,
    ) -> Result<Block, Error> {
        let length = self.length(place);
        let memory = || context.out_of_memory(&shown(name), length);
        let bytes = usize::try_from(length).map_err(|_| memory())?;
        let mut block = Block::zeroed(bytes).map_err(|_| memory())?;
        self.read(place, name, block.bytes_mut(), context)?;
        Ok(block)
    }

    /// Reads every record and compares its CRC.
    pub(crate) fn verify(&mut self, context: Context<'_>) -> Result<(), Error> {
        self.seen.fill(false);
        self.verify_rest(context)
    }

    /// Reads every record that was not read before, and compares its CRC.
    pub(crate) fn verify_rest(&mut self, context: Context<'_>) -> Result<(), Error> {
        let unseen = |place: u32| self.seen.get(place as usize) == Some(&false);
        let names = self.places.iter().filter(|(_, place)| unseen(**place));
        let mut names: Vec<_> = names.map(|(name, &place)| (place, name.clone())).collect();
        names.sort_unstable();
        let mut step = vec![0; STEP_BYTES];
        for (place, name) in names {
            let mut left = self.length(place);
            let Some(record) = self.records.get(place as usize) else { continue };
            let mut offset = record.data(&mut self.window, &self.folder, &name, context)?;
            let mut crc = crc32fast::Hasher::new();
            while self.has_crcs && left > 0 {
                let length = step.len().min(usize::try_from(left).unwrap_or(usize::MAX));
                let (bytes, _) = step.split_at_mut(length);
                self.window.read_at(offset, bytes).map_err(|source| context.io(source))?;
                crc.update(bytes);
                offset += length as u64;
                left -= length as u64;
            }
            if self.has_crcs && crc.finalize() != record.crc {
                let (path, record) = (context.path.to_owned(), shown(&name));
                return Err(Error::CrcMismatch { path, record });
            }
        }
        Ok(())
    }

    /// Refuses what is an archive of PyTorch but no saved object of a usual machine.
    fn check_kind(&mut self, context: Context<'_>) -> Result<(), Error> {
        if self.find(b"constants.pkl").is_some() {
            let remedy = "save the state_dict of the module with torch.save";
            return Err(context.unsupported("a TorchScript program", remedy));
        }
        let Some(place) = self.find(b"byteorder") else { return Ok(()) };
        let name = b"byteorder";
        if self.length(place) > 6 {
            let found = format!("{} bytes", self.length(place));
            return Err(context.bad_archive("byteorder", "little", found));
        }
        match self.block(place, name, context)?.bytes() {
            b"little" => Ok(()),
            b"big" => {
                let remedy = "load it with PyTorch on a little-endian machine and save it again";
                Err(context.unsupported("a file of a big-endian machine", remedy))
            }
            other => Err(context.bad_archive("byteorder", "little", shown(other))),
        }
    }
}
