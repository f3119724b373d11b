//! PyTorch files whose ids or rows are many times their bytes.

use super::case::{HostileSize, hostile, joined};
use crate::items::*;

hostile! {
    ids_by_reference.pt: "millions of ids that are references to one letter"
    long_ids_by_reference.pt: "ids that are references to one long text"
    rows_of_one_dict.pt: "rows that are references to one dict of millions of entries"
    rows_of_one_list.pt: "rows that are references to one list of floats"
    rows_of_one_tensor.pt: "rows that are references to one tensor"
    rows_of_one_label.pt: "rows whose label and id are references to one long text"
    many_modules.pt: "a module referred to a million times, with many names of buffers"
}

/// A file of ids and rows; the pickle's memo starts with what the ids hold.
fn file(ids: &[&[u8]], rows: &[&[u8]], storages: &[(&str, &[u8])]) -> Vec<u8> {
    let list = |items: &[&[u8]]| joined(&[b"](", &items.concat(), b"e"]);
    archive(&pickle(&dict(&[("ids", list(ids)), ("data", list(rows))])), storages)
}

fn memoised(value: Vec<u8>, number: u8) -> Vec<u8> {
    [value, vec![b'q', number]].concat()
}

fn ids_by_reference(size: usize) -> Vec<u8> {
    let count = size / 4;
    let row = memoised(floats(&[0.5]), 1);
    let references = b"h\x01".repeat(count - 1);
    file(&[&memoised(text("a"), 0), &b"h\0".repeat(count - 1)], &[&row, &references], &[])
}

fn long_ids_by_reference(size: usize) -> Vec<u8> {
    let count = size / 8;
    let row = memoised(floats(&[0.5]), 1);
    let references = b"h\x01".repeat(count - 1);
    let long = memoised(text(&"x".repeat(size / 2)), 0);
    file(&[&long, &b"h\0".repeat(count - 1)], &[&row, &references], &[])
}

fn rows_of_one_dict(size: usize) -> Vec<u8> {
    let count = size / 12;
    let entries = b"NN".repeat(size / 3);
    let label = [text("label"), b"h\0".to_vec()].concat();
    let row = memoised(joined(&[b"}(", &entries, &label, b"u"]), 1);
    let references = b"h\x01".repeat(count - 1);
    file(&[&memoised(text("a"), 0), &b"h\0".repeat(count - 1)], &[&row, &references], &[])
}

fn rows_of_one_list(size: usize) -> Vec<u8> {
    let count = size / 8;
    let row = memoised(floats(&vec![0.5; size / 18]), 1);
    let references = b"h\x01".repeat(count - 1);
    file(&[&memoised(text("a"), 0), &b"h\0".repeat(count - 1)], &[&row, &references], &[])
}

fn rows_of_one_tensor(size: usize) -> Vec<u8> {
    let count = size / 8;
    let width = size / 8;
    let row = memoised(tensor("0", &[width as i64]), 1);
    let references = b"h\x01".repeat(count - 1);
    let ids = [&memoised(text("a"), 0)[..], &b"h\0".repeat(count - 1)];
    file(&ids, &[&row, &references], &[("0", &vec![0; 4 * width])])
}

fn rows_of_one_label(size: usize) -> Vec<u8> {
    let count = size / 26;
    let row = memoised(floats(&[0.5]), 3);
    let fields = [text("label"), b"q\x01h\0".to_vec(), text("mean_representation")].concat();
    let first = [&b"}("[..], &fields, b"q\x02", &row, b"u"].concat();
    let others = b"}(h\x01h\0h\x02h\x03u".repeat(count - 1);
    let long = memoised(text(&"x".repeat(size / 3)), 0);
    file(&[&long, &b"h\0".repeat(count - 1)], &[&first, &others], &[])
}

fn many_modules(size: usize) -> Vec<u8> {
    let hidden = [&b"](N"[..], &b"h\x01".repeat(size / 4), b"e"].concat();
    let names = memoised(text(&"x".repeat(size / 4)), 1);
    let parts = [
        ("_parameters", b"}".to_vec()),
        ("_buffers", b"}".to_vec()),
        ("_modules", b"}".to_vec()),
        ("_non_persistent_buffers_set", hidden),
    ];
    let module = [b"c__main__\nMLPClassifier\n)\x81", &dict(&parts)[..], b"bq\x02"].concat();
    let value = joined(&[b"](Nq\0", &names, &module, &b"h\x02".repeat(size / 8), b"e"]);
    archive(&pickle(&value), &[])
}
