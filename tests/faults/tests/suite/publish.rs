//! Files and directories published by `vnp-job`: whole or not at all, whatever happens.

use vnp_job::publish::UNPUBLISHED;

use crate::kills::{Kills, check_kills};
use crate::power::{Losses, check_losses};
use crate::support::{Bench, State};

/// Kills a publication at every call. What is left beside the target has a name by which the next
/// session recognises and removes it.
fn check(what: &str, how: &str, bench: Option<Bench>) {
    let Some(bench) = bench else { return };
    let (found, temporaries) = check_kills(what, &bench, how, |fault| {
        let mut temporaries = 0;
        let target = bench.target();
        for name in bench.names() {
            let path = bench.path().join(&name);
            if target.starts_with(&path) {
                continue;
            }
            assert!(name.starts_with(UNPUBLISHED), "{fault}: {name} is left");
            temporaries += 1;
            vnp_job::remove_if_there(&path).unwrap();
        }
        assert!(bench.saver(how).output().unwrap().status.success(), "{fault}");
        assert_eq!(bench.state(), State::New, "{fault}");
        assert_eq!(bench.names().len(), 1, "{fault}");
        temporaries
    });
    let Kills { kills, midway, left } = found;
    assert!(kills > 10 && midway >= 1 && left.old > 4 && left.new > 1 && temporaries > 2);
}

#[test]
fn a_publication_survives_a_kill_at_every_call() {
    check("a publication", "publish", Bench::new());
}

#[test]
fn a_first_publication_survives_a_kill_at_every_call() {
    check("a first publication", "publish", Bench::first_save());
}

#[test]
fn a_published_directory_is_whole_after_a_kill_at_every_call() {
    check("a published directory", "publish-directory", Bench::first_directory());
}

#[test]
fn a_publication_survives_every_loss_of_power() {
    for (what, bench) in
        [("a publication", Bench::new()), ("a first publication", Bench::first_save())]
    {
        let Some(bench) = bench else { return };
        let Losses { points, left, .. } = check_losses(what, &bench, "publish");
        assert!(points > 5 && left.old > 10 && left.new > 2, "{points} points, {left}");
    }
}

/// Whatever a killed process held without a lock of the system, the next one takes at once.
#[test]
fn a_claim_survives_a_kill_at_every_call() {
    let Some(bench) = Bench::new() else { return };
    let (found, temporaries) = check_kills("a claim and a publication", &bench, "claim", |fault| {
        let mut temporaries = 0;
        for name in bench.names() {
            let is_mark = name.starts_with("claim.");
            if is_mark || name.starts_with(UNPUBLISHED) {
                temporaries += 1;
                vnp_job::remove_if_there(&bench.path().join(&name)).unwrap();
            } else {
                assert!(name == "claim" || bench.target().ends_with(&name), "{fault}: {name}");
            }
        }
        assert!(bench.saver("claim").output().unwrap().status.success(), "{fault}");
        assert_eq!(bench.state(), State::New, "{fault}");
        assert_eq!(bench.names().len(), 1, "{fault}: {:?}", bench.names());
        temporaries
    });
    let Kills { kills, midway, left } = found;
    assert!(kills > 30 && midway >= 2 && left.old > 10 && left.new > 2 && temporaries > 4);
}
