//! Checks the kind of a checkpoint, and that its required tensors are present.

use vnp_ckpt::{Encoding, Header};

use crate::finding::{Code, Finding};
use crate::report::Report;
use crate::schema::Schema;

pub(crate) fn check(report: &mut Report, header: &Header, schema: Option<&Schema>) {
    let Some(schema) = schema else { return };
    if header.kind != schema.kind {
        let (expected, found) = (format!("`{}`", schema.kind), format!("`{}`", header.kind));
        report.findings.push(Finding::new(Code::WrongKind, "kind", expected, found));
    }
    let sections = header.sections.iter();
    let names: Vec<_> = sections
        .filter(|section| matches!(section.encoding, Encoding::Tensor { .. }))
        .map(|section| section.name.as_str())
        .collect();
    for rule in schema.tensors.iter().filter(|rule| !names.contains(&rule.name.as_str())) {
        let listed: Vec<_> = names.iter().map(|name| format!("`{name}`")).collect();
        let found = if listed.is_empty() { "none".to_owned() } else { listed.join(", ") };
        let expected = format!("one named `{}`", rule.name);
        report.findings.push(Finding::new(Code::MissingTensor, "tensors", expected, found));
    }
}
