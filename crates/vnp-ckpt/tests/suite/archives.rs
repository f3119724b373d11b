//! What the reader of archives takes though PyTorch does not write it, and what it refuses: each line of
//! the tables in docs/PYTORCH.md.

use vnp_ckpt::{Checkpoint, ErrorKind, Limits};
use vnp_forge::torch;
use vnp_forge::zip::{Archive, Record};

use crate::invariants::load;

const LOCAL: &[u8] = b"PK\x03\x04";
const ENTRY: &[u8] = b"PK\x01\x02";
const DESCRIPTOR: &[u8] = b"PK\x07\x08";
const END: &[u8] = b"PK\x05\x06";
const END64: &[u8] = b"PK\x06\x06";

/// The good archive with bytes put so far behind each `mark`.
fn changed(mark: &[u8], behind: usize, bytes: &[u8]) -> Vec<u8> {
    let mut file = torch::good().bytes();
    let places = file.windows(mark.len()).enumerate().filter(|(_, found)| *found == mark);
    let places: Vec<_> = places.map(|(place, _)| place + behind).collect();
    assert!(!places.is_empty());
    for place in places {
        file[place..place + bytes.len()].copy_from_slice(bytes);
    }
    file
}

fn with(change: impl FnOnce(&mut Archive)) -> Vec<u8> {
    let mut archive = torch::good();
    change(&mut archive);
    archive.bytes()
}

/// The directory with bytes put into the extra fields of one entry, whose numbers are as given.
fn with_entry_extra(extra: &[u8], numbers: [Option<u32>; 2]) -> Vec<u8> {
    let file = with(|archive| archive.without_zip64 = true);
    let entry = file.windows(4).position(|found| found == ENTRY).unwrap();
    let name_bytes = usize::from(file[entry + 28]);
    let after = entry + 46 + name_bytes;
    let mut longer = [&file[..after], extra, &file[after..]].concat();
    longer[entry + 30..entry + 32].copy_from_slice(&(extra.len() as u16).to_le_bytes());
    for (number, at) in numbers.into_iter().zip([20, 24]) {
        if let Some(number) = number {
            longer[entry + at..entry + at + 4].copy_from_slice(&number.to_le_bytes());
        }
    }
    let end = longer.len() - 22;
    let length = u32::from_le_bytes(longer[end + 12..end + 16].try_into().unwrap());
    let length = length + extra.len() as u32;
    longer[end + 12..end + 16].copy_from_slice(&length.to_le_bytes());
    longer
}

fn read(bytes: &[u8]) -> Result<Checkpoint, ErrorKind> {
    load(bytes, &Limits::default()).map_err(vnp_ckpt::Error::into_kind)
}

#[track_caller]
fn check_taken(what: &str, bytes: &[u8]) {
    let original = read(&torch::good().bytes()).unwrap();
    match read(bytes) {
        Ok(read) => assert!(read == original, "{what}: {read:?}"),
        Err(error) => panic!("{what}: {error}"),
    }
}

#[track_caller]
fn check_refused(what: &str, bytes: &[u8]) {
    match read(bytes) {
        Err(ErrorKind::BadArchive { .. }) => {}
        other => panic!("{what}: {other:?}"),
    }
}

#[test]
fn what_is_taken() {
    check_taken("versions of local headers", &changed(LOCAL, 4, &[99, 7]));
    check_taken("versions of entries", &changed(ENTRY, 4, &[99, 7, 99, 7]));
    check_taken("versions of the 64-bit end record", &changed(END64, 12, &[99, 7, 99, 7]));
    check_taken("times of local headers", &changed(LOCAL, 10, &[0xff; 4]));
    check_taken("times of entries", &changed(ENTRY, 12, &[0xff; 4]));
    check_taken("attributes", &changed(ENTRY, 36, &[0xff; 6]));
    check_taken("descriptors of any contents", &changed(DESCRIPTOR, 0, &[7; 16]));
    check_taken("no 64-bit records", &with(|archive| archive.without_zip64 = true));
    check_taken("extra fields of local headers", &changed(b"FB", 0, b"??"));
    check_taken("unknown extra fields of entries", &with_entry_extra(b"??\x03\0abc", [None; 2]));
    let sizes = torch::good().records[0].data.len() as u64;
    let wide = [&b"\x01\0\x10\0"[..], &sizes.to_le_bytes(), &sizes.to_le_bytes()].concat();
    check_taken("64-bit sizes of entries", &with_entry_extra(&wide, [Some(u32::MAX); 2]));
    check_taken("64-bit sizes that nothing needs", &with_entry_extra(&[1, 0, 0, 0], [None; 2]));
    let full = |sums| with(|archive| archive.records[0].local_sums = sums);
    check_taken("full sizes in local headers", &full([0, u32::MAX, u32::MAX]));
    check_taken("sizes in local headers", &full([0, sizes as u32, sizes as u32]));
    check_taken("another order", &with(|archive| archive.records.reverse()));
    check_taken("other records", &with(|archive| archive.records.push(Record::new("good/x", "y"))));
    let data = || Record::new("good/DATA.PKL", "other");
    check_taken("names in another case", &with(|archive| archive.records.push(data())));
    let flags = |archive: &mut Archive| archive.records.iter_mut().for_each(|it| it.flags = 0);
    check_taken("no flags", &with(flags));
}

/// The bytes between records are those of no record: nothing reads them.
#[test]
fn gaps_are_not_read() {
    let mut archive = torch::good();
    let hidden = Record::new("good/hidden", "x".repeat(100));
    archive.records.insert(1, hidden);
    let whole = archive.bytes();
    // The entry is taken out of the directory; the record stays where it is.
    let entry = (0..whole.len())
        .find(|&at| whole[at..].starts_with(ENTRY) && whole[at + 46..].starts_with(b"good/hidden"));
    let entry = entry.unwrap();
    let mut bytes = [&whole[..entry], &whole[entry + 46 + 11..]].concat();
    let taken = 46 + 11_u32;
    let end = bytes.len() - 22;
    let end64 = end - 76;
    let less = |bytes: &mut [u8], at: usize, by: u32| {
        let number = u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap());
        bytes[at..at + 4].copy_from_slice(&(number - by).to_le_bytes());
    };
    let count = archive.records.len() as u16 - 1;
    for at in [8, 10] {
        bytes[end + at..end + at + 2].copy_from_slice(&count.to_le_bytes());
    }
    less(&mut bytes, end + 12, taken);
    less(&mut bytes, end64 + 24, 1);
    less(&mut bytes, end64 + 32, 1);
    less(&mut bytes, end64 + 40, taken);
    less(&mut bytes, end64 + 56 + 8, taken);
    check_taken("a record that is not listed", &bytes);
}

#[test]
fn what_is_refused() {
    let record = |change: fn(&mut Record)| with(|archive| change(&mut archive.records[0]));
    check_refused("compression", &record(|it| it.method = 8));
    check_refused("encryption", &record(|it| it.flags |= 1));
    check_refused("compressed patches", &record(|it| it.flags |= 1 << 5));
    check_refused("strong encryption", &record(|it| it.flags |= 1 << 6));
    check_refused("hidden local headers", &record(|it| it.flags |= 1 << 13));
    check_refused("comments of records", &record(|it| it.comment = b"c".to_vec()));
    check_refused("several disks", &record(|it| it.disk = 1));
    check_refused("another CRC in front", &record(|it| it.local_sums = [7, 0, 0]));
    check_refused("another size in front", &record(|it| it.local_sums = [0, 7, 7]));
    check_refused("another name in front", &record(|it| it.local_name = Some(b"good/x".to_vec())));
    check_refused("another method in front", &record(|it| it.local_method = Some(8)));
    check_refused("other flags in front", &changed(LOCAL, 6, &[0, 0]));
    check_refused("a comment", &with(|archive| archive.comment = b"c".to_vec()));
    check_refused("bytes after the end", &with(|archive| archive.trailing = b"t".to_vec()));
    check_refused("two archives", &torch::good().bytes().repeat(2));
    let twice = |archive: &mut Archive| archive.records.push(Record::new("good/version", "3\n"));
    check_refused("a name twice", &with(twice));
    let folder = |archive: &mut Archive| archive.records.push(Record::new("good/data/", ""));
    check_refused("folders", &with(folder));
    let other = |archive: &mut Archive| archive.records.push(Record::new("other/x", ""));
    check_refused("another folder", &with(other));
    check_refused("no room for 64-bit sizes", &with_entry_extra(&[], [Some(u32::MAX); 2]));
    check_refused("a directory elsewhere", &with(|archive| archive.directory_offset = Some(0)));
    check_refused("counts that differ", &changed(END, 8, &[9, 0, 9, 0]));
}
