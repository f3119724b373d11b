//! kill -9 at every system call of a save.

use std::os::unix::process::ExitStatusExt;

use vnp_faults::{Calls, Fault, Harm};

use crate::support::{BEGINS, Bench, DONE, Tally, report};

/// Threads may run in another order each time: after this many faults in a row that were not
/// reached, all calls have been tried.
const ENOUGH_MISSED: usize = 3;

#[derive(Debug, Default)]
pub(crate) struct Kills {
    pub(crate) kills: usize,
    pub(crate) midway: usize,
    pub(crate) left: Tally,
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
            assert_eq!(trace.status.signal(), Some(9), "{fault}");
            let acknowledged = trace.stdout.replace(BEGINS, "").contains(DONE);
            kills.left.add(bench.state(), acknowledged);
            each(&fault.to_string());
        }
    }
    kills
}

/// A saver that is killed anywhere leaves a whole file. `recover` returns the number of temporaries
/// that it found and removed.
pub(crate) fn check_kills(
    what: &str,
    bench: &Bench,
    how: &str,
    mut recover: impl FnMut(&str) -> usize,
) -> (Kills, usize) {
    let mut temporaries = 0;
    let found = kills(bench, how, |fault| temporaries += recover(fault));
    let Kills { kills, midway, left } = &found;
    report(&format!(
        "{kills} kills at every call of {what}, {midway} of them in the middle of a write: {left}, \
         {temporaries} temporaries left, all removed"
    ));
    assert_eq!((left.torn, left.lost), (0, 0));
    (found, temporaries)
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
    let (Kills { kills, midway, left }, temporaries) = check_kills(what, &bench, "save", |fault| {
        let temporaries = bench.temporaries();
        bench.recover(fault);
        temporaries
    });
    assert!(kills > 30 && midway >= 4 && left.old > 10 && left.new > 5 && temporaries > 10);
}
