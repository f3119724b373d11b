//! Whole runs that are killed, hurt and cut from their power at system calls chosen at random.
//!
//! `VNP_FAULTS=full` does it as often as a release asks for, with the numbers of `disturb`.

use std::ffi::OsString;
use std::io::Write as _;
use std::path::Path;

use vnp_faults::{Error, WholeRun, skip_reason};

use crate::shim::shim;
use crate::support::Bench;

/// A few of one kind of disturbance, or as many as a release asks for.
#[track_caller]
fn check(few: usize, many: usize, disturb: impl Fn(&mut WholeRun, usize) -> Result<(), Error>) {
    check_in(Vec::new(), few, many, disturb);
}

/// The same with variables of the environment.
#[track_caller]
fn check_in(
    variables: Vec<(&'static str, OsString)>,
    few: usize,
    many: usize,
    disturb: impl Fn(&mut WholeRun, usize) -> Result<(), Error>,
) {
    if let Some(reason) = skip_reason() {
        drop(writeln!(std::io::stderr(), "skipped: {reason}"));
        return;
    }
    let full = std::env::var_os("VNP_FAULTS").is_some_and(|value| value == "full");
    let vnp = Path::new(env!("CARGO_BIN_EXE_vnp"));
    let mut run = WholeRun::in_environment(vnp, 1, variables).unwrap();
    disturb(&mut run, if full { many } else { few }).unwrap_or_else(|error| panic!("{error}"));
    drop(writeln!(std::io::stderr(), "{}", run.counts));
}

#[test]
fn killed_runs_resume_to_the_same_files() {
    check(10, 200, |run, kills| run.kill_many(kills, kills / 10));
}

#[test]
fn failing_calls_end_a_run_with_a_reason_and_cost_nothing() {
    check(10, 200, |run, errors| run.fail_many(errors));
}

#[test]
fn a_run_survives_the_loss_of_power() {
    check(9, 200, |run, images| {
        run.lose_power(images)?;
        let found = run.lose_power_of_a_liar(images)?;
        drop(writeln!(std::io::stderr(), "control: {found}"));
        Ok(())
    });
}

/// The next process takes over what a killed one held without a lock of the system, at once.
#[test]
fn killed_runs_on_a_file_system_without_locks_resume_to_the_same_files() {
    let bench = Bench::new();
    let Some(shim) = shim(&bench) else { return };
    let variables = vec![("LD_PRELOAD", shim.into()), ("TEST_FLOCK_ERRNO", "37".into())];
    check_in(variables, 20, 200, |run, kills| run.kill_many(kills, kills / 10));
}
