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

mod directory;
mod end;

use directory::Record;

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
        let (has_crcs, expected) = (self.has_crcs, record.crc);
        let mut crc = crc32fast::Hasher::new();
        self.window.read_steps(offset, into, context, |step| {
            if has_crcs {
                crc.update(step);
            }
        })?;
        self.compare(crc, expected, name, context)?;
        if let Some(seen) = self.seen.get_mut(place as usize) {
            *seen = true;
        }
        Ok(())
    }

    /// Fills `into` with what lies from byte `start` of the record on. The CRC of the whole
    /// record is compared the first time.
    pub(crate) fn read_piece(
        &mut self,
        place: u32,
        name: &[u8],
        start: u64,
        into: &mut [u8],
        context: Context<'_>,
    ) -> Result<(), Error> {
        if self.seen.get(place as usize) == Some(&false) {
            self.prove(place, name, &mut vec![0; STEP_BYTES], context)?;
        }
        let Some(record) = self.records.get(place as usize) else {
            return Err(context.bad_archive(shown(name), "a record", "none"));
        };
        let offset = record.data(&mut self.window, &self.folder, name, context)?;
        self.window.read_steps(offset.saturating_add(start), into, context, |_| {})
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
        names.iter().try_for_each(|(place, name)| self.prove(*place, name, &mut step, context))
    }

    /// Reads a record a `step` at a time and compares its CRC.
    fn prove(
        &mut self,
        place: u32,
        name: &[u8],
        step: &mut [u8],
        context: Context<'_>,
    ) -> Result<(), Error> {
        let Some(record) = self.records.get(place as usize) else { return Ok(()) };
        let (mut left, expected) = (record.length, record.crc);
        let mut offset = record.data(&mut self.window, &self.folder, name, context)?;
        let mut crc = crc32fast::Hasher::new();
        while self.has_crcs && left > 0 {
            let length = step.len().min(usize::try_from(left).unwrap_or(usize::MAX));
            let (bytes, _) = step.split_at_mut(length);
            self.window.read_at(offset, bytes, context)?;
            crc.update(bytes);
            offset += length as u64;
            left -= length as u64;
        }
        self.compare(crc, expected, name, context)?;
        if let Some(seen) = self.seen.get_mut(place as usize) {
            *seen = true;
        }
        Ok(())
    }

    /// Compares a record's CRC with the one that was written, if any was.
    fn compare(
        &self,
        found: crc32fast::Hasher,
        expected: u32,
        name: &[u8],
        context: Context<'_>,
    ) -> Result<(), Error> {
        if self.has_crcs && found.finalize() != expected {
            return Err(Error::CrcMismatch { path: context.path.to_owned(), record: shown(name) });
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

#[cfg(test)]
mod tests {
    use super::super::forge::{archive, load, open, open_within, pickle, zip};
    use crate::{Error, Integrity, Limits};

    /// An archive of a pickle and a record.
    fn good() -> Vec<u8> {
        archive(&pickle(b"}"), &[("0", b"abcdefgh")])
    }

    #[track_caller]
    fn check_bad(bytes: &[u8], expected_record: &str) {
        match load(bytes) {
            Err(Error::BadArchive { record, .. }) => assert_eq!(record, expected_record),
            other => panic!("{other:?}"),
        }
    }

    /// Puts bytes into a good archive: so far behind the `number`th place where `mark` is.
    fn changed(mark: &[u8], number: usize, behind: usize, bytes: &[u8]) -> Vec<u8> {
        let mut file = good();
        let places = file.windows(mark.len()).enumerate().filter(|(_, found)| *found == mark);
        let place = places.map(|(place, _)| place).nth(number).unwrap() + behind;
        file[place..place + bytes.len()].copy_from_slice(bytes);
        file
    }

    const END: &[u8] = b"PK\x05\x06";
    const ENTRY: &[u8] = b"PK\x01\x02";
    const HEADER: &[u8] = b"PK\x03\x04";

    #[test]
    fn a_good_one_is_read() {
        assert_eq!(open(&good()).unwrap().source.integrity(), Integrity::Crc32);
        assert!(load(&good()).is_ok());
    }

    #[test]
    fn the_end_is_the_end() {
        check_bad(&[&good()[..], b"\0"].concat(), "end record");
        check_bad(&good()[..good().len() - 1], "end record");
        check_bad(b"PK\x03\x04", "end record");
        check_bad(&changed(END, 0, 4, &[1]), "end record");
        check_bad(&changed(END, 0, 20, &[1]), "end record");
        check_bad(&changed(END, 0, 8, &[4, 0, 4, 0]), "directory");
        check_bad(&changed(END, 0, 8, &[2, 0, 2, 0]), "directory");
        check_bad(&changed(END, 0, 8, &[2]), "end record");
        check_bad(&changed(END, 0, 12, &[0, 0, 0, 0x7f]), "end record");
        check_bad(&changed(END, 0, 16, &[0, 0, 0, 0x7f]), "end record");
    }

    #[test]
    fn entries_are_stored_records_in_one_place() {
        check_bad(&changed(ENTRY, 1, 0, b"QK"), "directory");
        check_bad(&changed(ENTRY, 2, 8, &[9]), "a/data/0");
        check_bad(&changed(ENTRY, 2, 10, &[8]), "a/data/0");
        check_bad(&changed(ENTRY, 2, 20, &[7]), "a/data/0");
        check_bad(&changed(ENTRY, 2, 24, &[7]), "a/data/0");
        check_bad(&changed(ENTRY, 2, 20, &[99, 0, 0, 0, 99]), "a/data/0");
        check_bad(&changed(ENTRY, 2, 20, &[0xff; 8]), "a/data/0");
        check_bad(&changed(ENTRY, 2, 34, &[1]), "a/data/0");
        check_bad(&changed(ENTRY, 2, 42, &[0, 0, 0, 0]), "a/data.pkl");
        check_bad(&changed(ENTRY, 2, 42, &[0xff; 4]), "a/data/0");
        check_bad(&changed(ENTRY, 0, 42, &[1]), "a/data.pkl");
    }

    #[test]
    fn headers_agree_with_their_entries() {
        check_bad(&changed(HEADER, 2, 0, b"QK"), "data/0");
        check_bad(&changed(HEADER, 2, 6, &[0]), "data/0");
        check_bad(&changed(HEADER, 2, 8, &[8]), "data/0");
        check_bad(&changed(HEADER, 2, 14, &[1]), "data/0");
        check_bad(&changed(HEADER, 2, 18, &[1]), "data/0");
        check_bad(&changed(HEADER, 2, 26, &[9]), "data/0");
        check_bad(&changed(HEADER, 2, 28, &[99]), "data/0");
        check_bad(&changed(HEADER, 2, 30, b"b"), "data/0");
        check_bad(&changed(HEADER, 2, 37, b"1"), "data/0");
    }

    #[track_caller]
    fn check_names(names: &[&str], expected_record: &str) {
        let pickle = pickle(b"}");
        let records: Vec<_> = names.iter().map(|name| (*name, &pickle[..])).collect();
        check_bad(&zip(&records), expected_record);
    }

    #[test]
    fn names_are_plain_and_in_one_folder() {
        check_names(&["a/version"], "data.pkl");
        check_names(&["data.pkl"], "data.pkl");
        check_names(&["a/data.pkl", "b/data.pkl"], "data.pkl");
        check_names(&["a/data.pkl", "a/data/0", "a/data/0"], "a/data/0");
        check_names(&["a/data.pkl", "b/data/0"], "b/data/0");
        check_names(&["a/data.pkl", "a/../x"], "a/../x");
        check_names(&["a/data.pkl", "/x"], "/x");
        check_names(&["a/data.pkl", "a/x/"], "a/x/");
        check_names(&["a/data.pkl", "a/x\\y"], "a/x\\\\y");
        check_names(&["../data.pkl"], "../data.pkl");
        check_names(&["a/data.pkl", ""], "");
    }

    #[test]
    fn without_any_crc_nothing_is_proved() {
        let mut bytes = good();
        for number in 0..3 {
            let mut places = bytes.windows(4).enumerate().filter(|(_, found)| *found == ENTRY);
            let place = places.nth(number).unwrap().0;
            bytes[place + 16..place + 20].fill(0);
        }
        assert_eq!(open(&bytes).unwrap().source.integrity(), Integrity::Unverified);
        assert!(load(&bytes).is_ok());
        let one = changed(ENTRY, 2, 16, &[0; 4]);
        let Err(Error::CrcMismatch { record, .. }) = load(&one) else { panic!("it was read") };
        assert_eq!(record, "data/0");
    }

    #[test]
    fn other_machines_and_programs() {
        let of = |name, bytes: &[u8]| load(&zip(&[("a/data.pkl", &pickle(b"}")), (name, bytes)]));
        assert!(of("a/byteorder", b"little").is_ok());
        let Err(Error::Unsupported { .. }) = of("a/byteorder", b"big") else { panic!("big") };
        let Err(Error::BadArchive { .. }) = of("a/byteorder", b"other") else { panic!("other") };
        let Err(Error::BadArchive { .. }) = of("a/byteorder", &[0; 99]) else { panic!("long") };
        let Err(Error::Unsupported { .. }) = of("a/constants.pkl", b"") else { panic!("script") };
    }

    #[test]
    fn limits_are_asked_first() {
        let check = |limits: Limits, expected: &str| match open_within(&good(), &limits).err() {
            Some(Error::LimitExceeded { limit, .. }) => assert_eq!(limit, expected),
            other => panic!("{other:?}"),
        };
        check(Limits { records: 2, ..Limits::default() }, "records");
        check(Limits { pickle_bytes: 3, ..Limits::default() }, "pickle_bytes");
        check(Limits { total_bytes: 99, ..Limits::default() }, "total_bytes");
    }
}
