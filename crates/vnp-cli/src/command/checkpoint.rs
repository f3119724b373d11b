//! `vnp checkpoint`: shows one checkpoint, or converts it to another format.

use std::path::Path;

use anyhow::bail;
use serde_json::{Map, json};
use vnp_ckpt::{Checkpoint, Encoding, Error, ErrorKind, Format, Header, Limits, Section, Value};

use crate::exit::{CheckpointIssue, Exit};
use crate::output;

/// `vnp checkpoint inspect`: exit 3 if the file is not an intact checkpoint.
pub(crate) fn inspect(file: &Path, as_json: bool) -> anyhow::Result<Exit> {
    let open = Checkpoint::open(file, &Limits::default()).map_err(of_reading)?;
    let (header, integrity) = (open.header(), open.integrity().name());
    let text = if as_json {
        format!("{:#}\n", to_json(file, header, integrity))
    } else {
        to_text(file, header, integrity)
    };
    output::print(&text)?;
    Ok(Exit::Done)
}

/// `vnp checkpoint convert`: the extension of the output and the first bytes of the input decide on
/// their formats.
pub(crate) fn convert(input: &Path, output: &Path) -> anyhow::Result<Exit> {
    let Some(format) = Format::of_path(output) else {
        let known = Format::ALL.map(|format| format!(".{}", format.extension())).join(", ");
        bail!("{}: the name of the output must end in one of {known}", output.display());
    };
    let checkpoint =
        vnp_ckpt::load_with_compatibility(input, &Limits::default()).map_err(of_reading)?;
    // A directory that cannot be listed can still be written to.
    if let Some(Err(error)) = output.parent().map(sweep) {
        log::debug!("{error}");
    }
    format.save(output, &checkpoint)?;
    log::info!(
        "converted {} (version {}, {}, {}, {}) to {}",
        input.display(),
        checkpoint.version(),
        checkpoint.kind(),
        output::counted(checkpoint.rows().len(), "row"),
        output::counted(checkpoint.tensors().len() as u64, "tensor"),
        output.display()
    );
    Ok(Exit::Done)
}

/// Removes what killed conversions left in a directory.
fn sweep(directory: &Path) -> Result<(), Error> {
    let directory = if directory.as_os_str().is_empty() { Path::new(".") } else { directory };
    for removed in vnp_ckpt::sweep_abandoned_temporaries(directory)? {
        log::debug!("{} was left by a killed process: removed", removed.display());
    }
    Ok(())
}

/// A file that cannot be read is not a checkpoint issue.
fn of_reading(error: Error) -> anyhow::Error {
    match error.kind() {
        ErrorKind::Io { .. } | ErrorKind::OutOfMemory { .. } => error.into(),
        _ => CheckpointIssue(error).into(),
    }
}

fn to_text(file: &Path, header: &Header, integrity: &str) -> String {
    let producer = &header.producer;
    let mut rows = vec![
        vec!["path".to_owned(), file.display().to_string()],
        vec!["kind".to_owned(), header.kind.clone()],
        vec!["version".to_owned(), header.version.to_string()],
        vec!["integrity".to_owned(), integrity.to_owned()],
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

fn to_json(file: &Path, header: &Header, integrity: &str) -> serde_json::Value {
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
        "integrity": integrity,
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
