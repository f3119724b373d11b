use std::path::Path;

use serde_json::{Map, json};
use vnp_ckpt::{Encoding, Header, Limits, Section, Value};

use crate::exit::{CheckpointIssue, Exit};
use crate::output;

/// `vnp checkpoint inspect`: a file that is no sound checkpoint is exit 3.
pub(crate) fn inspect(file: &Path, as_json: bool) -> anyhow::Result<Exit> {
    let header = vnp_ckpt::read_header(file, &Limits::default()).map_err(|error| match error {
        error @ vnp_ckpt::Error::Io { .. } => anyhow::Error::from(error),
        error => CheckpointIssue(error).into(),
    })?;
    let text =
        if as_json { format!("{:#}\n", to_json(file, &header)) } else { to_text(file, &header) };
    output::print(&text)?;
    Ok(Exit::Done)
}

fn to_text(file: &Path, header: &Header) -> String {
    let producer = &header.producer;
    let mut rows = vec![
        vec!["path".to_owned(), file.display().to_string()],
        vec!["kind".to_owned(), header.kind.clone()],
        vec!["version".to_owned(), header.version.to_string()],
        vec!["status".to_owned(), header.status.to_string()],
        vec!["rows".to_owned(), header.rows.to_string()],
        vec!["created".to_owned(), header.created.clone()],
        vec!["producer".to_owned(), format!("{} {}", producer.name, producer.version)],
    ];
    for section in &header.sections {
        rows.push(vec![section_kind(section).to_owned(), describe(section)]);
    }
    for (key, value) in &header.metadata {
        rows.push(vec![format!("metadata.{key}"), value_to_json(value).to_string()]);
    }
    output::table(&rows)
}

fn section_kind(section: &Section) -> &'static str {
    match &section.encoding {
        Encoding::Strings { .. } => "ids",
        _ => "tensor",
    }
}

fn describe(section: &Section) -> String {
    match &section.encoding {
        Encoding::Strings { count } => format!("{} ({count} strings)", section.name),
        Encoding::Tensor { dtype, shape, .. } => format!("{} {dtype} {shape:?}", section.name),
        _ => section.name.clone(),
    }
}

fn to_json(file: &Path, header: &Header) -> serde_json::Value {
    let tensors: Vec<_> = header
        .sections
        .iter()
        .filter_map(|section| match &section.encoding {
            Encoding::Tensor { dtype, shape, .. } => Some(json!({
                "name": section.name,
                "dtype": dtype.to_string(),
                "shape": shape,
            })),
            _ => None,
        })
        .collect();
    let metadata: Map<_, _> =
        header.metadata.iter().map(|(key, value)| (key.clone(), value_to_json(value))).collect();
    let rows = header.rows;
    json!({
        "path": file.to_string_lossy(),
        "kind": header.kind,
        "version": header.version.to_string(),
        "status": header.status.to_string(),
        "rows": { "start": rows.start, "end": rows.end },
        "created": header.created,
        "producer": { "name": header.producer.name, "version": header.producer.version },
        "tensors": tensors,
        "metadata": metadata,
    })
}

fn value_to_json(value: &Value) -> serde_json::Value {
    match value {
        Value::Null => serde_json::Value::Null,
        Value::Bool(value) => json!(value),
        Value::Int(value) => json!(value),
        Value::Float(value) => json!(value),
        Value::String(value) => json!(value),
        Value::Bytes(value) => {
            json!(value.iter().map(|byte| format!("{byte:02x}")).collect::<String>())
        }
        Value::List(values) => values.iter().map(value_to_json).collect(),
        Value::Map(values) => {
            values.iter().map(|(key, value)| (key.clone(), value_to_json(value))).collect()
        }
    }
}
