//! Pickles whose values are many times their bytes: by reference, or by the room that a value takes.

use super::case::{HostileSize, hostile, joined, numbered};
use crate::items::*;

hostile! {
    texts_by_reference.pt: "a list of millions of references to one long text"
    empty_lists.pt: "a list of nothing but empty lists, one byte each"
    empty_dicts.pt: "a list of nothing but empty dicts, one byte each"
    empty_tuples.pt: "a list of nothing but empty tuples, one byte each"
    nones.pt: "a list of nothing but None, one byte each"
    ints.pt: "a list of integers, two bytes each"
    marks.pt: "nothing but marks"
    memos.pt: "one value, memoised again and again"
    small_tuples.pt: "a list of tuples of one, two bytes each"
    small_dicts.pt: "a list of dicts of one entry, four bytes each"
    lists_by_append.pt: "a list of lists of one value, appended one by one"
    floats_apart.pt: "a list of floats, none next to another"
    doubled_lists.pt: "lists that hold the last one twice, sixty times"
    common_prefixes.pt: "a dict of long keys that differ in their last letters"
    one_key.pt: "a dict whose entries all have one long key by reference"
    encoded_by_reference.pt: "one long text, encoded to bytes again and again"
    bytes_by_reference.pt: "a list of references to long bytes"
    paths_by_reference.pt: "paths made of many references to one tuple of parts"
    path_keys.pt: "a dict whose keys are one path of many parts"
    big_ints_below_a_long_key.pt: "values that no header holds, below a key of megabytes"
    legacy_empty_lists.pt: "a pre-1.6 file of nothing but empty lists"
    legacy_texts_by_reference.pt: "a pre-1.6 file of references to one long text"
}

/// A list of these items, memoised from 0 on by what they hold.
fn of_list(items: &[&[u8]]) -> Vec<u8> {
    archive(&pickle(&joined(&[b"](", &items.concat(), b"e"])), &[])
}

/// A long text, memoised as number 0, and what it takes.
fn long_text(size: usize) -> Vec<u8> {
    [text(&"x".repeat(size)), b"q\0".to_vec()].concat()
}

fn texts_by_reference(size: usize) -> Vec<u8> {
    of_list(&[&long_text(size / 7), &b"h\0".repeat(size * 3 / 7)])
}

fn empty_lists(size: usize) -> Vec<u8> {
    of_list(&[&b"]".repeat(size)])
}

fn empty_dicts(size: usize) -> Vec<u8> {
    of_list(&[&b"}".repeat(size)])
}

fn empty_tuples(size: usize) -> Vec<u8> {
    of_list(&[&b")".repeat(size)])
}

fn nones(size: usize) -> Vec<u8> {
    of_list(&[&b"N".repeat(size)])
}

fn ints(size: usize) -> Vec<u8> {
    of_list(&[&b"K\x07".repeat(size / 2)])
}

fn marks(size: usize) -> Vec<u8> {
    of_list(&[&b"(".repeat(size)])
}

fn memos(size: usize) -> Vec<u8> {
    of_list(&[b"N", &b"\x94".repeat(size)])
}

fn small_tuples(size: usize) -> Vec<u8> {
    of_list(&[&b"N\x85".repeat(size / 2)])
}

fn small_dicts(size: usize) -> Vec<u8> {
    of_list(&[&b"}NNs".repeat(size / 4)])
}

fn lists_by_append(size: usize) -> Vec<u8> {
    of_list(&[&b"]Na".repeat(size / 3)])
}

fn floats_apart(size: usize) -> Vec<u8> {
    of_list(&[&[float(0.5), b"N".to_vec()].concat().repeat(size / 10)])
}

fn doubled_lists(size: usize) -> Vec<u8> {
    let filler = text(&"x".repeat(size));
    let mut value = [b"](".to_vec(), filler, b"]q\x00".to_vec()].concat();
    for index in 0..60_u8 {
        value.extend([&b"]("[..], &[b'h', index, b'h', index], b"e", &[b'q', index + 1]].concat());
    }
    value.push(b'e');
    archive(&pickle(&value), &[])
}

fn common_prefixes(size: usize) -> Vec<u8> {
    let prefix = "p".repeat(1000);
    let (_, entries) =
        numbered(size, |number| [text(&format!("{prefix}{number:07}")), b"N".to_vec()].concat());
    archive(&pickle(&joined(&[b"}(", &entries, b"u"])), &[])
}

fn one_key(size: usize) -> Vec<u8> {
    let entries = b"h\0N".repeat(size * 2 / 9);
    archive(&pickle(&joined(&[b"}(", &long_text(size / 3), b"N", &entries, b"u"])), &[])
}

fn encoded_by_reference(size: usize) -> Vec<u8> {
    let names = [&text("latin1")[..], b"q\x01c_codecs\nencode\nq\x02"].concat();
    of_list(&[&long_text(size / 3), &names, &b"h\x02(h\0h\x01tR".repeat(size * 2 / 27)])
}

fn bytes_by_reference(size: usize) -> Vec<u8> {
    let bytes = [b"B", &(size as u32 / 2).to_le_bytes()[..], &vec![7; size / 2], b"q\0"].concat();
    of_list(&[&bytes, &b"h\0".repeat(size / 4)])
}

fn paths_by_reference(size: usize) -> Vec<u8> {
    let parts = [text("a"), b"q\0".to_vec()].concat();
    let path = [&b"cpathlib\nPosixPath\n("[..], &b"h\0".repeat(size / 4), b"tRq\x01"].concat();
    of_list(&[&parts, &path, &b"h\x01".repeat(size / 4)])
}

fn path_keys(size: usize) -> Vec<u8> {
    let empty = [text(""), b"q\0".to_vec()].concat();
    let path = [&b"cpathlib\nPosixPath\n("[..], &b"h\0".repeat(size / 4), b"tRq\x01"].concat();
    let dicts = b"}h\x01Ns".repeat(size / 10);
    of_list(&[&empty, &path, &dicts])
}

fn big_ints_below_a_long_key(size: usize) -> Vec<u8> {
    let big = b"\x8a\x09\xff\xff\xff\xff\xff\xff\xff\xff\x01q\0";
    let ints = joined(&[b"](", big, &b"h\0".repeat(size / 4), b"e"]);
    archive(&pickle(&dict(&[(&"k".repeat(size / 2), ints)])), &[])
}

fn legacy_empty_lists(size: usize) -> Vec<u8> {
    legacy(&joined(&[b"](", &b"]".repeat(size), b"e"]), &[])
}

fn legacy_texts_by_reference(size: usize) -> Vec<u8> {
    let references = b"h\0".repeat(size * 3 / 7);
    legacy(&joined(&[b"](", &long_text(size / 7), &references, b"e"]), &[])
}
