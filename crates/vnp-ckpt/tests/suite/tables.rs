//! The tables beside the fixtures: `expected.tsv`, which describes what each file holds, and
//! `SHA256SUMS`. `cargo xtask fixtures` writes them with the functions that the tests read them with.

use sha2::{Digest as _, Sha256};
use vnp_ckpt::{Checkpoint, Value};

/// Everything that a checkpoint holds, each with its name; texts and bytes are in hexadecimal, so
/// that readers in any language can compare them.
pub(crate) fn describe(
    checkpoint: &Checkpoint,
    is_per_row: impl Fn(&str) -> bool,
) -> Vec<(String, String)> {
    let producer = checkpoint.producer();
    let mut rows = vec![
        ("version".to_owned(), checkpoint.version().to_string()),
        ("status".to_owned(), checkpoint.status().to_string()),
        ("kind".to_owned(), checkpoint.kind().to_owned()),
        ("rows".to_owned(), checkpoint.rows().to_string()),
        ("created".to_owned(), checkpoint.created().to_owned()),
        ("producer.name".to_owned(), producer.name.clone()),
        ("producer.version".to_owned(), producer.version.clone()),
    ];
    let ids = checkpoint.ids().iter().enumerate();
    rows.extend(ids.map(|(index, id)| (format!("id.{index}"), hex(id.as_bytes()))));
    for (tensor, data) in checkpoint.tensors() {
        let shape: Vec<_> = data.shape().iter().map(usize::to_string).collect();
        rows.push((format!("tensor.{tensor}.dtype"), data.dtype().to_string()));
        rows.push((format!("tensor.{tensor}.shape"), shape.join("x")));
        rows.push((format!("tensor.{tensor}.per_row"), is_per_row(tensor).to_string()));
        rows.push((format!("tensor.{tensor}.bytes"), hex(data.bytes())));
    }
    for (place, values) in [("metadata", checkpoint.metadata()), ("unknown", checkpoint.unknown())]
    {
        for (key, value) in values {
            describe_value(&format!("{place}.{key}"), value, &mut rows);
        }
    }
    rows
}

fn describe_value(place: &str, value: &Value, rows: &mut Vec<(String, String)>) {
    match value {
        Value::List(list) => {
            for (index, value) in list.iter().enumerate() {
                describe_value(&format!("{place}.{index}"), value, rows);
            }
        }
        Value::Map(map) => {
            for (key, value) in map {
                describe_value(&format!("{place}.{key}"), value, rows);
            }
        }
        _ => {}
    }
    rows.push((place.to_owned(), type_and_value(value)));
}

/// A value with its type; of a list or a map only the length.
pub(crate) fn type_and_value(value: &Value) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Bool(value) => format!("bool {value}"),
        Value::Int(value) => format!("int {value}"),
        Value::Float(value) => format!("float {:016x}", value.to_bits()),
        Value::String(value) => format!("string {}", hex(value.as_bytes())),
        Value::Bytes(value) => format!("bytes {}", hex(value)),
        Value::List(list) => format!("list {}", list.len()),
        Value::Map(map) => format!("map {}", map.len()),
    }
}

/// The cells of each line; `None` where a line has another number of columns.
pub(crate) fn rows<const N: usize>(table: &str) -> Option<Vec<[&str; N]>> {
    table.lines().map(|line| line.split('\t').collect::<Vec<_>>().try_into().ok()).collect()
}

/// The checksums of `SHA256SUMS`, each with the name of its file.
pub(crate) fn sums(text: &str) -> Option<Vec<(&str, &str)>> {
    text.lines().map(|line| line.split_once("  ")).collect()
}

/// The SHA-256 of a file's contents, in hexadecimal.
pub(crate) fn sha256(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
