//! Checks the element types, shapes, rows and values of the tensors.

use vnp_ckpt::{Dtype, Encoding, Header};

use super::contents::Contents;
use crate::finding::{Code, Finding};
use crate::report::Report;
use crate::schema::{Schema, TensorRule};

pub(crate) fn check(
    report: &mut Report,
    header: &Header,
    contents: &Contents,
    schema: Option<&Schema>,
) {
    let rules = schema.map(|schema| schema.tensors.as_slice()).unwrap_or_default();
    for section in &header.sections {
        let Encoding::Tensor { dtype, shape, .. } = &section.encoding else { continue };
        let subject = format!("tensor `{}`", section.name);
        let rule = rules.iter().find(|rule| rule.name == section.name);
        if let Some(rule) = rule {
            check_rule(report, &subject, contents.ids, (*dtype, shape), rule);
        }
        if rule.is_none_or(|rule| rule.finite)
            && let Some(index) = contents.non_finite.get(&section.name)
        {
            let width: usize = shape.iter().skip(1).product();
            let found = format!("NaN or an infinity in row {}", index / width.max(1));
            report.findings.push(Finding::new(Code::NonFinite, subject, "finite values", found));
        }
    }
}

fn check_rule(
    report: &mut Report,
    subject: &str,
    rows: usize,
    (dtype, shape): (Dtype, &[usize]),
    rule: &TensorRule,
) {
    let mut find = |code, expected: String, found: String| {
        report.findings.push(Finding::new(code, subject, expected, found));
    };
    if let Some(expected) = rule.dtype
        && dtype != expected
    {
        find(Code::WrongDtype, expected.to_string(), dtype.to_string());
    }
    let (first, trailing) = match shape {
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
        let text = |shape: &[usize]| format!("rows of shape {shape:?}");
        find(Code::WrongShape, text(expected), text(trailing));
    }
}
