//! The kind, and the tensors that must be there.

use vnp_ckpt::Checkpoint;

use crate::{Code, Finding, Report, Schema};

pub(crate) fn check(report: &mut Report, checkpoint: &Checkpoint, schema: Option<&Schema>) {
    let Some(schema) = schema else { return };
    if checkpoint.kind() != schema.kind {
        let found = format!("`{}`", checkpoint.kind());
        report.findings.push(Finding::new(
            Code::WrongKind,
            "kind",
            format!("`{}`", schema.kind),
            found,
        ));
    }
    for rule in &schema.tensors {
        if checkpoint.tensor(&rule.name).is_none() {
            let names: Vec<_> = checkpoint.tensors().map(|(name, _)| format!("`{name}`")).collect();
            let found = if names.is_empty() { "none".to_owned() } else { names.join(", ") };
            let expected = format!("one named `{}`", rule.name);
            report.findings.push(Finding::new(Code::MissingTensor, "tensors", expected, found));
        }
    }
}
