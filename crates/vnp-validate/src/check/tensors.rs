//! What the tensors hold.

use vnp_ckpt::{Checkpoint, Tensor};

use crate::{Code, Finding, Report, Schema, TensorRule};

pub(crate) fn check(report: &mut Report, checkpoint: &Checkpoint, schema: Option<&Schema>) {
    let rules = schema.map(|schema| schema.tensors.as_slice()).unwrap_or_default();
    for (name, tensor) in checkpoint.tensors() {
        let subject = format!("tensor `{name}`");
        let rule = rules.iter().find(|rule| rule.name == name);
        if let Some(rule) = rule {
            form(report, &subject, checkpoint.ids().len(), tensor, rule);
        }
        if rule.is_none_or(|rule| rule.finite) {
            finite(report, subject, tensor);
        }
    }
}

fn form(report: &mut Report, subject: &str, rows: usize, tensor: &Tensor, rule: &TensorRule) {
    let mut find = |code, expected: String, found: String| {
        report.findings.push(Finding::new(code, subject, expected, found));
    };
    if let Some(dtype) = rule.dtype
        && tensor.dtype() != dtype
    {
        find(Code::WrongDtype, dtype.to_string(), tensor.dtype().to_string());
    }
    let (first, trailing) = match tensor.shape() {
        [first, trailing @ ..] => (Some(*first), trailing),
        [] => (None, &[][..]),
    };
    if first != Some(rows) {
        let found = first.map_or("no rows".to_owned(), |first| format!("{first} rows"));
        find(Code::RowCount, format!("{rows} rows, one for each id"), found);
    }
    if let Some(expected) = &rule.trailing
        && expected.as_slice() != trailing
    {
        let shape = |shape: &[usize]| format!("rows of shape {shape:?}");
        find(Code::WrongShape, shape(expected), shape(trailing));
    }
}

fn finite(report: &mut Report, subject: String, tensor: &Tensor) {
    if let Some(place) = tensor.first_non_finite() {
        let width: usize = tensor.shape().iter().skip(1).product();
        let found = format!("NaN or an infinity in row {}", place / width.max(1));
        report.findings.push(Finding::new(Code::NonFinite, subject, "finite values", found));
    }
}
