//! `vnp validate-checkpoints`: a report on every checkpoint in a directory.

use std::path::Path;

use serde_json::json;
use vnp_ckpt::Integrity;
use vnp_validate::{FAILED_CHECKPOINTS, FailedCheckpoint, Level, Options, Report};

use crate::args::ValidateCheckpointsArgs;
use crate::exit::Exit;
use crate::output;

/// `vnp validate-checkpoints`: exit 0 if all are good, 3 if one is bad or none is found.
pub(crate) fn run(args: &ValidateCheckpointsArgs) -> anyhow::Result<Exit> {
    let log = args.dir.join(FAILED_CHECKPOINTS);
    let options = Options {
        level: if args.skip_load { Level::Container } else { Level::Tensors },
        log_failures: args.log_failures.then(|| log.clone()),
        ..Options::default()
    };
    let reports = vnp_validate::validate_tree(&args.dir, &options)?;
    // The log of a run is next to its checkpoints; DIR may be the run's directory or that one.
    let mut recorded = recorded(&log);
    recorded.extend(self::recorded(&args.dir.join("checkpoints").join(FAILED_CHECKPOINTS)));
    let bad = reports.iter().filter(|report| !report.is_ok()).count();
    if args.json {
        output::print(&format!("{:#}\n", as_json(&reports, &recorded)))?;
    } else {
        output::print(&as_text(&reports, &recorded, bad))?;
    }
    if reports.is_empty() {
        log::error!("no checkpoints in {}", args.dir.display());
    }
    Ok(if reports.is_empty() || bad > 0 { Exit::Checkpoint } else { Exit::Done })
}

/// The failures in a log. A log that cannot be read must not hide the report.
fn recorded(log: &Path) -> Vec<FailedCheckpoint> {
    vnp_validate::load_failed_checkpoints(log).unwrap_or_else(|error| {
        log::warn!("{error}");
        Vec::new()
    })
}

fn as_text(reports: &[Report], recorded: &[FailedCheckpoint], bad: usize) -> String {
    let mut rows = Vec::new();
    for report in reports {
        rows.push(vec![
            report.outcome().name().to_owned(),
            report.version.clone().map_or_else(|| "-".to_owned(), |version| format!("v{version}")),
            report.rows.map_or_else(|| "-".to_owned(), |rows| format!("{rows} rows")),
            report.path.display().to_string(),
            if report.is_ok() { remark(report).to_owned() } else { report.reason() },
        ]);
    }
    let mut text = output::table(&rows);
    text.push_str(&format!("{} checkpoints, {bad} bad\n", reports.len()));
    if !recorded.is_empty() {
        text.push_str("recorded failures:\n");
        for failure in recorded {
            let FailedCheckpoint { path, reason, timestamp } = failure;
            text.push_str(&format!("  {timestamp}  {}: {reason}\n", path.display()));
        }
    }
    text
}

/// A remark on a good file.
fn remark(report: &Report) -> &'static str {
    match report.integrity {
        Some(Integrity::Unverified) => {
            "unverified: it has no checksums, so a changed byte may go unnoticed"
        }
        _ => "",
    }
}

fn as_json(reports: &[Report], recorded: &[FailedCheckpoint]) -> serde_json::Value {
    let files: Vec<_> = reports
        .iter()
        .map(|report| {
            let findings: Vec<_> = report
                .findings
                .iter()
                .map(|finding| {
                    json!({
                        "code": finding.code.name(),
                        "subject": finding.subject,
                        "expected": finding.expected,
                        "found": finding.found,
                    })
                })
                .collect();
            json!({
                "path": report.path.to_string_lossy(),
                "version": report.version,
                "status": report.status.map(|status| status.to_string()),
                "kind": report.kind,
                "rows": report.rows,
                "integrity": report.integrity.map(Integrity::name),
                "result": report.outcome().name(),
                "reason": report.reason(),
                "findings": findings,
            })
        })
        .collect();
    let recorded: Vec<_> = recorded
        .iter()
        .map(|failure| {
            json!({
                "path": failure.path.to_string_lossy(),
                "reason": failure.reason,
                "timestamp": failure.timestamp,
            })
        })
        .collect();
    json!({ "files": files, "recorded_failures": recorded })
}
