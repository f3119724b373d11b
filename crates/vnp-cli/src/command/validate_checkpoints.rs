//! `vnp validate-checkpoints`: a report on every checkpoint in a directory.

mod view;

use std::io::{self, Write};
use std::path::Path;

use vnp_ckpt::Integrity;
use vnp_escape::{escaped_path, sentence, shown};
use vnp_validate::{FAILED_CHECKPOINTS, FailedCheckpoint, Level, Options, Report};

use crate::args::ValidateCheckpointsArgs;
use crate::exit::Exit;
use crate::output::{self, table::table};

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
    output::stream(|out| match args.json {
        true => output::json::pretty(out, &view::Reports::new(&reports, &recorded)),
        false => write_text(out, &reports, &recorded, bad),
    })?;
    if reports.is_empty() {
        log::error!("no checkpoints in {}", escaped_path(&args.dir));
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

fn write_text(
    out: &mut dyn Write,
    reports: &[Report],
    recorded: &[FailedCheckpoint],
    bad: usize,
) -> io::Result<()> {
    let row = |report: &Report| {
        [
            report.outcome().name().to_owned(),
            report.version.as_ref().map_or_else(|| "-".to_owned(), |version| format!("v{version}")),
            report.rows.map_or_else(|| "-".to_owned(), |rows| format!("{rows} rows")),
            escaped_path(&report.path).to_string(),
            if report.is_ok() { remark(report).to_owned() } else { report.reason() },
        ]
    };
    table(out, || reports.iter().map(row))?;
    writeln!(out, "{} checkpoints, {bad} bad", reports.len())?;
    if !recorded.is_empty() {
        writeln!(out, "recorded failures:")?;
    }
    for FailedCheckpoint { path, reason, timestamp } in recorded {
        let (time, path) = (shown(timestamp), escaped_path(path));
        writeln!(out, "  {time}  {path}: {}", sentence(reason))?;
    }
    Ok(())
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
