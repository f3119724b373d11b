//! kill -9 at every system call of a save.

use std::os::unix::process::ExitStatusExt;

use vnp_faults::{Calls, Fault, Harm, Trace};

use crate::support::{BEGINS, Bench, DONE, State, report};

/// Threads may run in another order each time: after this many faults in a row that were not
/// reached, all calls have been tried.
const ENOUGH_MISSED: usize = 3;

#[derive(Debug, Default)]
pub(crate) struct Kills {
    pub(crate) kills: usize,
    pub(crate) midway: usize,
    pub(crate) old: usize,
    pub(crate) new: usize,
    pub(crate) torn: usize,
    pub(crate) lost: usize,
}

/// Kills a saver before each of its calls, and in the middle of each of its writes.
pub(crate) fn kills(bench: &Bench, how: &str, mut each: impl FnMut(&str)) -> Kills {
    let mut kills = Kills::default();
    let kinds = [(Calls::Any, Harm::Kill), (Calls::Named("write"), Harm::KillMidway)];
    for (calls, harm) in kinds {
        let mut missed = 0;
        for nth in 1.. {
            let fault = Fault { calls, nth, harm };
            let trace = bench.hurt(how, &fault);
            if trace.hurt.is_none() {
                missed += 1;
                if missed == ENOUGH_MISSED {
                    break;
                }
                continue;
            }
            missed = 0;
            kills.kills += 1;
            kills.midway += usize::from(harm == Harm::KillMidway);
            count(bench, &mut kills, &trace, &fault);
            each(&fault.to_string());
        }
    }
    kills
}

fn count(bench: &Bench, kills: &mut Kills, trace: &Trace, fault: &Fault) {
    assert_eq!(trace.status.signal(), Some(9), "{fault}");
    let state = bench.state();
    match state {
        State::Old => kills.old += 1,
        State::New => kills.new += 1,
        State::Missing | State::Torn => kills.torn += 1,
    }
    let printed = trace.stdout.replace(BEGINS, "");
    kills.lost += usize::from(printed.contains(DONE) && state != State::New);
}

#[test]
fn a_save_survives_a_kill_at_every_call() {
    check("a save", Bench::new());
}

#[test]
fn a_first_save_survives_a_kill_at_every_call() {
    check("a first save", Bench::first_save());
}

fn check(what: &str, bench: Option<Bench>) {
    let Some(bench) = bench else { return };
    let mut temporaries = 0;
    let kills = kills(&bench, "save", |what| {
        temporaries += bench.temporaries();
        bench.recover(what);
    });
    let Kills { kills, midway, old, new, torn, lost } = kills;
    report(&format!(
        "{kills} kills at every call of {what}, {midway} of them in the middle of a write: {old} \
         old, {new} new, {torn} torn, {lost} acknowledged and lost, {temporaries} temporaries \
         left, all removed"
    ));
    assert_eq!((torn, lost), (0, 0));
    assert!(kills > 30 && midway >= 4 && old > 10 && new > 5 && temporaries > 10);
}
