//! Tensors that are far more than the memory in the file, or far more of them than it has bytes for.

use super::case::{HostileSize, hostile, joined};
use crate::items::*;

hostile! {
    expanded_tensor.pt: "one element expanded to 256 MB"
    expanded_tensors.pt: "thousands of tensors, each one element expanded"
    tensors_of_one_storage.pt: "thousands of tensors that are the whole of one storage"
    transposed_tensors.pt: "thousands of transposed views of one storage"
    many_tensors.pt: "more tensors of one storage than a header may have sections"
    tensors_by_reference.pt: "one tensor referred to a million times"
    storages_by_reference.pt: "persistent ids that share one long text as location and key"
    storages_backwards.pt: "thousands of tensors in the reverse order of their storages"
    long_names.pt: "tensors below a key of megabytes"
    nested_names.pt: "tensors below nested keys, whose names repeat all of them"
    numpy_of_one_text.pt: "thousands of numpy arrays of one text of latin1"
    numpy_scalars_of_one_text.pt: "numpy scalars of one long text"
    legacy_storages.pt: "a pre-1.6 file of as many empty storages as fit"
}

/// A tensor of the whole of a storage of this many floats, with its parts memoised: its function as 0,
/// its storage as 1, its hooks as 2.
fn memoised(floats: usize) -> Vec<u8> {
    let rebuild = &b"ctorch._utils\n_rebuild_tensor_v2\nq\0("[..];
    let storage = [storage("0", "Float", floats as i64, &[]), b"q\x01K\0".to_vec()].concat();
    let [size, stride] = [numbers(&[floats as i64]), numbers(&[1])];
    let hooks = [call("collections", "OrderedDict", &[]), b"q\x02".to_vec()].concat();
    [rebuild, &storage, &size, &stride, b"\x89", &hooks, b"tR"].concat()
}

fn expanded_tensor(size: usize) -> Vec<u8> {
    let expanded = view(storage("0", "Float", 1, &[]), 0, &[60 << 20], &[0]);
    let value = list(&[expanded, text(&"x".repeat(size.saturating_sub(700).max(300)))]);
    archive(&pickle(&value), &[("0", &[0; 4])])
}

fn expanded_tensors(size: usize) -> Vec<u8> {
    let one = view(storage("0", "Float", 1, &[]), 0, &[16 << 10], &[0]);
    let count = (size / one.len()).clamp(1, 4000);
    archive(&pickle(&joined(&[b"](", &one.repeat(count), b"e"])), &[("0", &[0; 4])])
}

fn tensors_of_one_storage(size: usize) -> Vec<u8> {
    let floats = size / 8;
    let one = tensor("0", &[floats as i64]);
    let count = (size / 2 / one.len()).clamp(1, 4000);
    let pickle = pickle(&joined(&[b"](", &one.repeat(count), b"e"]));
    archive(&pickle, &[("0", &vec![0; 4 * floats])])
}

fn transposed_tensors(size: usize) -> Vec<u8> {
    let rows = size / 32;
    let one = view(storage("0", "Float", 4 * rows as i64, &[]), 0, &[4, rows as i64], &[1, 4]);
    let count = (size / 2 / one.len()).clamp(1, 4000);
    let pickle = pickle(&joined(&[b"](", &one.repeat(count), b"e"]));
    archive(&pickle, &[("0", &vec![0; 16 * rows])])
}

fn many_tensors(size: usize) -> Vec<u8> {
    let one = b"h\0(h\x01K\0K\x02\x85K\x01\x85\x89h\x02tR";
    let value = joined(&[b"](", &memoised(2), &one.repeat(size / one.len()), b"e"]);
    archive(&pickle(&value), &[("0", &[0; 8])])
}

fn tensors_by_reference(size: usize) -> Vec<u8> {
    let one = [tensor("0", &[2]), b"q\0".to_vec()].concat();
    let value = joined(&[b"](", &one, &b"h\0".repeat(size / 2), b"e"]);
    archive(&pickle(&value), &[("0", &[0; 8])])
}

fn storages_by_reference(size: usize) -> Vec<u8> {
    let long = [text(&"0".repeat(size / 3)), b"q\0".to_vec()].concat();
    let names = [text("storage"), b"q\x01ctorch\nFloatStorage\nq\x02".to_vec()].concat();
    let one = b"(h\x01h\x02h\0h\0K\x02tQ";
    let value = joined(&[b"](", &long, &names, &one.repeat(size * 2 / 3 / one.len()), b"e"]);
    archive(&pickle(&value), &[("0", &[0; 8])])
}

fn storages_backwards(size: usize) -> Vec<u8> {
    let count = (size / 1200).clamp(2, 4000);
    let keys: Vec<String> = (0..count).map(|number| number.to_string()).collect();
    let tensors: Vec<u8> = keys.iter().rev().flat_map(|key| tensor(key, &[150])).collect();
    let data = [0; 600];
    let storages: Vec<_> = keys.iter().map(|key| (key.as_str(), &data[..])).collect();
    archive(&pickle(&joined(&[b"](", &tensors, b"e"])), &storages)
}

fn long_names(size: usize) -> Vec<u8> {
    let one = [tensor("0", &[2]), b"q\0".to_vec()].concat();
    let tensors = joined(&[b"](", &one, &b"h\0".repeat(3000.min(size / 4)), b"e"]);
    let value = dict(&[(&"k".repeat(size.saturating_sub(7000).max(300)), tensors)]);
    archive(&pickle(&value), &[("0", &[0; 8])])
}

fn nested_names(size: usize) -> Vec<u8> {
    let one = [tensor("0", &[2]), b"q\0".to_vec()].concat();
    let tensors = joined(&[b"](", &one, &b"h\0".repeat(4000.min(size / 4)), b"e"]);
    let key = "k".repeat((size / 30).clamp(10, 32));
    let value = (0..28).fold(tensors, |value, _| dict(&[(&key, value)]));
    archive(&pickle(&value), &[("0", &[0; 8])])
}

/// A numpy dtype as it is pickled by protocol 2.
fn dtype(name: &str) -> Vec<u8> {
    let made = call("numpy", "dtype", &[text(name), b"\x89".to_vec(), b"\x88".to_vec()]);
    let none = || b"N".to_vec();
    let state = [int(3), text("|"), none(), none(), none(), int(-1), int(-1), int(0)];
    [made, tuple(&state), b"b".to_vec()].concat()
}

fn numpy_of_one_text(size: usize) -> Vec<u8> {
    let letters = size / 4;
    let encode = |value: Vec<u8>| call("_codecs", "encode", &[value, text("latin1")]);
    let data = encode([text(&"x".repeat(letters)), b"q\0".to_vec()].concat());
    let array = |data: &[u8]| {
        let class = b"cnumpy\nndarray\n".to_vec();
        let kind = encode(text("b"));
        let made = call("numpy.core.multiarray", "_reconstruct", &[class, numbers(&[0]), kind]);
        let state = [int(1), numbers(&[letters as i64]), dtype("u1"), b"\x89".to_vec()];
        [made, tuple(&[&state[..], &[data.to_vec()]].concat()), b"b".to_vec()].concat()
    };
    let others = array(b"h\x01");
    let count = (size * 3 / 4 / others.len()).clamp(1, 4000);
    let first = array(&[data, b"q\x01".to_vec()].concat());
    archive(&pickle(&joined(&[b"](", &first, &others.repeat(count), b"e"])), &[])
}

fn numpy_scalars_of_one_text(size: usize) -> Vec<u8> {
    let data = [b"B", &(size as u32 / 4).to_le_bytes()[..], &vec![7; size / 4]].concat();
    let of = |data: &[u8], dtype: &[u8]| {
        let arguments = [dtype.to_vec(), data.to_vec()];
        call("numpy.core.multiarray", "scalar", &arguments)
    };
    let first = of(&[&data[..], b"q\x01"].concat(), &[dtype("S9"), b"q\0".to_vec()].concat());
    let others = of(b"h\x01", b"h\0");
    let count = size * 3 / 4 / others.len();
    archive(&pickle(&joined(&[b"](", &first, &others.repeat(count), b"e"])), &[])
}

fn legacy_storages(size: usize) -> Vec<u8> {
    let keys: Vec<String> = (0..size / 45).map(|number| number.to_string()).collect();
    let tensors: Vec<u8> = keys
        .iter()
        .flat_map(|key| [b"(h\x01h\x02", &short_text(key)[..], b"h\x03K\0NtQ"].concat())
        .collect();
    let names = [text("storage"), b"q\x01ctorch\nFloatStorage\nq\x02".to_vec()].concat();
    let names = [b"Nq\0", &names[..], &text("cpu"), b"q\x03"].concat();
    let storages: Vec<_> = keys.iter().map(|key| (key.as_str(), 0, &[][..])).collect();
    legacy(&joined(&[b"](", &names, &tensors, b"e"]), &storages)
}

fn short_text(text: &str) -> Vec<u8> {
    [&[0x8c, text.len() as u8], text.as_bytes()].concat()
}
