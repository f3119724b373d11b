//! The table of `vnp checkpoint inspect`, in which every name and value is cut where it is long.

use std::io::{self, Write};
use std::path::Path;

use vnp_ckpt::{Encoding, Section};
use vnp_escape::escaped_path;

use super::view::{Inspected, Shown};
use crate::output::cell::cell;
use crate::output::json;
use crate::output::table::table;

/// Writes the table.
pub(super) fn write(out: &mut dyn Write, file: &Path, inspected: &Inspected<'_>) -> io::Result<()> {
    let header = inspected.header;
    let producer = format!("{} {}", header.producer.name, header.producer.version);
    let mut fixed = vec![["path".to_owned(), escaped_path(file).to_string()]];
    let version = header.version.to_string();
    for (name, value) in [
        ("kind", header.kind.as_str()),
        ("version", &version),
        ("integrity", inspected.integrity()),
        ("status", header.status.name()),
        ("rows", &header.rows.to_string()),
        ("created", &header.created),
        ("producer", &producer),
    ] {
        fixed.push([name.to_owned(), text(value)]);
    }
    let sections =
        || header.sections.iter().map(|section| [kind(section).to_owned(), describe(section)]);
    let metadata = || {
        header.metadata.iter().map(|(key, value)| {
            [text(&format!("metadata.{key}")), cell(|out| json::compact(out, &Shown(value)))]
        })
    };
    table(out, || fixed.iter().cloned().chain(sections()).chain(metadata()))
}

fn text(text: &str) -> String {
    cell(|out| out.write_all(text.as_bytes()))
}

fn kind(section: &Section) -> &'static str {
    match &section.encoding {
        Encoding::Strings { .. } => "ids",
        _ => "tensor",
    }
}

fn describe(section: &Section) -> String {
    cell(|out| {
        out.write_all(section.name.as_bytes())?;
        match &section.encoding {
            Encoding::Strings { count } => write!(out, " ({count} strings)"),
            Encoding::Tensor { dtype, shape, .. } => write!(out, " {dtype} {shape:?}"),
            _ => Ok(()),
        }
    })
}
