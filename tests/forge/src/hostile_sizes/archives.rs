//! Archives with more records than a checkpoint needs, or with records that unpack to more.

use super::case::{HostileSize, hostile, numbered};
use crate::items::pickle;
use crate::zip::{Archive, Record, deflated_zeros};

hostile! {
    records.pt: "an archive of as many empty records as fit"
    listed_twice.pt: "a directory of as many entries as fit, all for one record"
    deflate_bomb.pt: "a compressed record of megabytes of zeros"
    long_record_names.pt: "records with names of 10,000 letters"
}

fn archive(records: Vec<Record>) -> Vec<u8> {
    let all = [vec![Record::new("a/data.pkl", pickle(b"}"))], records].concat();
    Archive { records: all, ..Archive::default() }.bytes()
}

fn records(size: usize) -> Vec<u8> {
    let names = (0..size / 160).map(|number| format!("a/{number}"));
    archive(names.map(|name| Record::new(name, [])).collect())
}

fn listed_twice(size: usize) -> Vec<u8> {
    let copy = Record { only_listed: true, offset: Some(0), ..Record::new("a/b", []) };
    archive(vec![copy; size / 49])
}

fn deflate_bomb(size: usize) -> Vec<u8> {
    // 13 bits for each 258 bytes.
    let (_, data) = numbered(1, |_| deflated_zeros(size * 8 / 13));
    let real_bytes = Some((size * 8 / 13 * 258).min(u32::MAX as usize - 1) as u32);
    let zeros = Record { method: 8, real_bytes, ..Record::new("a/data/0", data) };
    archive(vec![zeros])
}

fn long_record_names(size: usize) -> Vec<u8> {
    let names = (0..size / 20_000).map(|number| format!("a/{number}{}", "n".repeat(10_000)));
    archive(names.map(|name| Record::new(name, [])).collect())
}
