//! One case with one program. It runs in a process of its own, whose only children are those of the case:
//! what the system counts of them is their memory and time.

use std::io::Write as _;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use nix::sys::resource::{UsageWho, getrusage};
use serde::{Deserialize, Serialize};

use super::case::Case;
use super::program::Program;
use crate::place::Place;

/// What a program took, and how it ended.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Trial {
    /// As in `Ended`.
    pub(crate) code: Option<i32>,
    pub(crate) wrong: u64,
    pub(crate) cpu_seconds: f64,
    pub(crate) megabytes: u64,
}

impl Trial {
    /// Writes the files of a case, and tries it in a process of its own.
    pub(crate) fn of(
        case: &Case,
        program: &Path,
        parent: &Path,
        arguments: &[String],
        patience: Duration,
    ) -> Result<Self> {
        let dir = tempfile::tempdir_in(parent)?;
        let vnp = program.canonicalize().with_context(|| program.display().to_string())?;
        let place = Place { vnp, dir: dir.path().canonicalize()? };
        place.clear()?;
        (case.prepare)(&place).with_context(|| case.name.clone())?;
        let mut command = Command::new(std::env::current_exe()?);
        command.args(["attacked", "--single", &case.name, "--after"]).arg(&place.vnp);
        command.arg("--dir").arg(&place.dir).arg("--patience").arg(patience.as_secs().to_string());
        command.args(arguments);
        let output = command.output()?;
        let told = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "{}: {told}", case.name);
        Ok(serde_json::from_slice(&output.stdout)?)
    }

    /// Whether it ended as it should, in time.
    pub(crate) fn is_good(&self, case: &Case) -> bool {
        self.code.is_some_and(|code| case.codes.contains(&code))
            && self.wrong == 0
            && self.cpu_seconds <= case.cpu_seconds
            && self.megabytes <= case.megabytes
    }

    /// How bad it is, as a share of what is allowed: 1 is what is allowed.
    pub(crate) fn badness(&self, case: &Case) -> f64 {
        let is_right = self.code.is_some_and(|code| case.codes.contains(&code));
        let cost = (self.cpu_seconds / case.cpu_seconds)
            .max(self.megabytes as f64 / case.megabytes as f64);
        cost + if is_right { 0.0 } else { 1000.0 } + self.wrong as f64
    }
}

/// Tries a case whose files are written, and prints what it took.
pub(crate) fn single(case: &Case, vnp: &Path, dir: &Path, patience: Duration) -> Result<()> {
    let place = Place { vnp: vnp.to_owned(), dir: dir.to_owned() };
    let ended = (case.run)(&Program { place: &place, until: Instant::now() + patience })?;
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN)?;
    let seconds = [usage.user_time(), usage.system_time()]
        .map(|time| time.tv_sec() as f64 + time.tv_usec() as f64 / 1e6);
    let trial = Trial {
        code: ended.code,
        wrong: ended.wrong,
        cpu_seconds: seconds.iter().sum(),
        // The system counts in KiB.
        megabytes: u64::try_from(usage.max_rss())? * 1024 / 1_000_000,
    };
    serde_json::to_writer(std::io::stdout(), &trial)?;
    Ok(std::io::stdout().flush()?)
}

#[cfg(test)]
mod tests {
    use super::super::finding::Finding;
    use super::*;

    #[test]
    fn a_good_answer_has_its_code_and_keeps_every_bound() {
        let case =
            Case::new(Finding::Limits, "x", "inspect", |_| Ok(())).ends(&[1]).within(2.0, 100);
        let trial = Trial { code: Some(1), wrong: 0, cpu_seconds: 2.0, megabytes: 100 };
        assert!(trial.is_good(&case));
        for bad in [
            Trial { code: Some(0), ..trial.clone() },
            Trial { code: None, ..trial.clone() },
            Trial { wrong: 1, ..trial.clone() },
            Trial { cpu_seconds: 2.1, ..trial.clone() },
            Trial { megabytes: 101, ..trial.clone() },
        ] {
            assert!(!bad.is_good(&case) && bad.badness(&case) > trial.badness(&case), "{bad:?}");
        }
    }
}
