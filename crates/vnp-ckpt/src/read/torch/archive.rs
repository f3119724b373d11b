//! The ZIP archive that PyTorch writes: stored records, nothing compressed, nothing hidden.
//!
//! Of ZIP this reads what `torch.save` writes and refuses the rest: a record has one position, one
//! name and one entry in the directory, and they follow each other without overlap.

use std::collections::HashMap;

use crate::budget::Budget;
use crate::error::kind::ErrorKind;
use crate::limits::Limits;
use crate::read::container::{Input, Integrity};
use crate::read::torch::shown::shown;
use crate::read::window::Window;
use crate::tensor::block::Block;

pub(crate) mod directory;
mod end;
mod le;

use directory::Record;

/// What a record takes in memory beside its name: itself, its place in a table, and a copy of both.
const RECORD_BYTES: u64 = 200;

/// An open archive.
pub(crate) struct Archive<R> {
    window: Window<R>,
    /// By index in the file.
    records: Vec<Record>,
    /// By name below the folder.
    indices: HashMap<Box<[u8]>, u32>,
    folder: Box<[u8]>,
    /// Whether CRCs were written.
    has_crcs: bool,
    /// Which records were read and compared.
    seen: Vec<bool>,
}

impl<R: Input> Archive<R> {
    /// Reads the directory and checks that it makes sense; no record is read but `byteorder`.
    pub(crate) fn open(
        mut window: Window<R>,
        limits: &Limits,
        budget: &Budget,
    ) -> Result<Self, ErrorKind> {
        let end = end::read(&mut window, limits)?;
        let bytes = directory::bytes(&mut window, &end)?;
        budget.memory(end.records.saturating_mul(RECORD_BYTES))?;
        budget.memory(end.directory.end - end.directory.start)?;
        let (records, names) = directory::records(bytes.bytes(), &end)?;
        let folder = directory::folder(&names)?;
        let indices = directory::indices(&names, folder)?;
        let has_crcs = records.iter().any(|record| record.crc != 0);
        let (folder, seen) = (folder.into(), vec![false; records.len()]);
        let mut archive = Self { window, records, indices, folder, has_crcs, seen };
        archive.check_kind()?;
        Ok(archive)
    }

    /// The checksums that protect the records.
    pub(crate) fn integrity(&self) -> Integrity {
        if self.has_crcs { Integrity::Crc32 } else { Integrity::Unverified }
    }

    /// The index of a record by its name below the archive's folder.
    pub(crate) fn find(&self, name: &[u8]) -> Option<u32> {
        self.indices.get(name).copied()
    }

    /// The length of a record, in bytes.
    pub(crate) fn length(&self, index: u32) -> u64 {
        self.records.get(index as usize).map_or(0, |record| record.length)
    }

    /// Fills `into`, which is as long as the record, and compares the CRC.
    pub(crate) fn read(
        &mut self,
        index: u32,
        name: &[u8],
        into: &mut [u8],
    ) -> Result<(), ErrorKind> {
        let Some(record) = self.records.get(index as usize) else {
            return Err(ErrorKind::bad_archive(shown(name), "a record", "none"));
        };
        let offset = record.data(&mut self.window, &self.folder, name)?;
        let (has_crcs, expected) = (self.has_crcs, record.crc);
        let mut crc = crc32fast::Hasher::new();
        self.window.read_steps(offset, into, |step| {
            if has_crcs {
                crc.update(step);
            }
        })?;
        self.compare(crc, expected, name)?;
        if let Some(seen) = self.seen.get_mut(index as usize) {
            *seen = true;
        }
        Ok(())
    }

    /// Fills `into` with the bytes of the record from `start` on. The CRC of the whole
    /// record is compared the first time.
    pub(crate) fn read_piece(
        &mut self,
        index: u32,
        name: &[u8],
        start: u64,
        into: &mut [u8],
    ) -> Result<(), ErrorKind> {
        if self.seen.get(index as usize) == Some(&false) {
            self.prove(index, name)?;
        }
        let Some(record) = self.records.get(index as usize) else {
            return Err(ErrorKind::bad_archive(shown(name), "a record", "none"));
        };
        let offset = record.data(&mut self.window, &self.folder, name)?;
        self.window.read_steps(offset.saturating_add(start), into, |_| {})
    }

    /// Reads a record into memory of its own.
    pub(crate) fn block(&mut self, index: u32, name: &[u8]) -> Result<Block, ErrorKind> {
        let mut block = Block::for_section(&shown(name), self.length(index))?;
        self.read(index, name, block.bytes_mut())?;
        Ok(block)
    }

    /// Reads every record and compares its CRC.
    pub(crate) fn verify(&mut self) -> Result<(), ErrorKind> {
        self.seen.fill(false);
        self.verify_rest()
    }

    /// Reads every record that was not read before, and compares its CRC.
    pub(crate) fn verify_rest(&mut self) -> Result<(), ErrorKind> {
        let unseen = |index: u32| self.seen.get(index as usize) == Some(&false);
        let names = self.indices.iter().filter(|(_, index)| unseen(**index));
        let mut names: Vec<_> = names.map(|(name, &index)| (index, name.clone())).collect();
        names.sort_unstable();
        names.iter().try_for_each(|(index, name)| self.prove(*index, name))
    }

    /// Reads a record without keeping it and compares its CRC.
    fn prove(&mut self, index: u32, name: &[u8]) -> Result<(), ErrorKind> {
        let Some(record) = self.records.get(index as usize) else { return Ok(()) };
        let expected = record.crc;
        let length = if self.has_crcs { record.length } else { 0 };
        let offset = record.data(&mut self.window, &self.folder, name)?;
        let mut crc = crc32fast::Hasher::new();
        self.window.scan(offset, length, |step| crc.update(step))?;
        self.compare(crc, expected, name)?;
        if let Some(seen) = self.seen.get_mut(index as usize) {
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
    ) -> Result<(), ErrorKind> {
        if self.has_crcs && found.finalize() != expected {
            return Err(ErrorKind::CrcMismatch { record: shown(name) });
        }
        Ok(())
    }

    /// Refuses archives of PyTorch that are not a saved object of a little-endian machine.
    fn check_kind(&mut self) -> Result<(), ErrorKind> {
        if self.find(b"constants.pkl").is_some() {
            let remedy = "save the state_dict of the module with torch.save";
            return Err(ErrorKind::unsupported("a TorchScript program", remedy));
        }
        let Some(index) = self.find(b"byteorder") else { return Ok(()) };
        let name = b"byteorder";
        if self.length(index) > 6 {
            let found = format!("{} bytes", self.length(index));
            return Err(ErrorKind::bad_archive("byteorder", "little", found));
        }
        match self.block(index, name)?.bytes() {
            b"little" => Ok(()),
            b"big" => {
                let remedy = "load it with PyTorch on a little-endian machine and save it again";
                Err(ErrorKind::unsupported("a file of a big-endian machine", remedy))
            }
            other => Err(ErrorKind::bad_archive("byteorder", "little", shown(other))),
        }
    }
}

#[cfg(test)]
mod tests {
    use vnp_forge::items::{archive, pickle, zip};

    use crate::error::kind::ErrorKind;
    use crate::limits::Limits;
    use crate::read::container::Integrity;
    use crate::read::torch::forged::{load, open, open_within};

    /// An archive of a pickle and a record.
    fn good() -> Vec<u8> {
        archive(&pickle(b"}"), &[("0", b"abcdefgh")])
    }

    #[track_caller]
    fn check_bad(bytes: &[u8], expected_record: &str) {
        match load(bytes) {
            Err(ErrorKind::BadArchive { record, .. }) => assert_eq!(record, expected_record),
            other => panic!("{other:?}"),
        }
    }

    /// Puts bytes into a good archive: so far behind the `number`th index where `mark` is.
    fn changed(mark: &[u8], number: usize, behind: usize, bytes: &[u8]) -> Vec<u8> {
        let mut file = good();
        let indices = file.windows(mark.len()).enumerate().filter(|(_, found)| *found == mark);
        let index = indices.map(|(index, _)| index).nth(number).unwrap() + behind;
        file[index..index + bytes.len()].copy_from_slice(bytes);
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
        check_names(&["a/data.pkl", "a/x\\y"], "a/x\\y");
        check_names(&["../data.pkl"], "../data.pkl");
        check_names(&["a/data.pkl", ""], "");
    }

    #[test]
    fn without_any_crc_nothing_is_proved() {
        let mut bytes = good();
        for number in 0..3 {
            let mut indices = bytes.windows(4).enumerate().filter(|(_, found)| *found == ENTRY);
            let index = indices.nth(number).unwrap().0;
            bytes[index + 16..index + 20].fill(0);
        }
        assert_eq!(open(&bytes).unwrap().source.integrity(), Integrity::Unverified);
        assert!(load(&bytes).is_ok());
        let one = changed(ENTRY, 2, 16, &[0; 4]);
        let Err(ErrorKind::CrcMismatch { record, .. }) = load(&one) else { panic!("it was read") };
        assert_eq!(record, "data/0");
    }

    #[test]
    fn other_machines_and_programs() {
        let of = |name, bytes: &[u8]| load(&zip(&[("a/data.pkl", &pickle(b"}")), (name, bytes)]));
        assert!(of("a/byteorder", b"little").is_ok());
        let Err(ErrorKind::Unsupported { .. }) = of("a/byteorder", b"big") else { panic!("big") };
        let Err(ErrorKind::BadArchive { .. }) = of("a/byteorder", b"other") else {
            panic!("other")
        };
        let Err(ErrorKind::BadArchive { .. }) = of("a/byteorder", &[0; 99]) else { panic!("long") };
        let Err(ErrorKind::Unsupported { .. }) = of("a/constants.pkl", b"") else {
            panic!("script")
        };
    }

    #[test]
    fn limits_are_asked_first() {
        let check = |limits: Limits, expected: &str| match open_within(&good(), &limits).err() {
            Some(ErrorKind::LimitExceeded { limit, .. }) => assert_eq!(limit, expected),
            other => panic!("{other:?}"),
        };
        check(Limits { records: 2, ..Limits::default() }, "records");
        check(Limits { pickle_bytes: 3, ..Limits::default() }, "pickle_bytes");
        check(Limits { total_bytes: 99, ..Limits::default() }, "total_bytes");
    }
}
