//! Results and bundles, published by `vnp-job`: whole or not at all, whatever happens.

use vnp_job::publish::UNPUBLISHED;

use crate::kills::{Kills, kills};
use crate::power::{Losses, losses};
use crate::support::{Bench, State, report};

/// Kills a publication at every call. What is left beside the target has a name by which the next
/// session recognises and removes it.
fn check_kills(what: &str, how: &str, bench: Option<Bench>) {
    let Some(bench) = bench else { return };
    let mut left = 0;
    let found = kills(&bench, how, |fault| {
        let target = bench.target();
        for name in bench.names() {
            let path = bench.path().join(&name);
            if target.starts_with(&path) {
                continue;
            }
            assert!(name.starts_with(UNPUBLISHED), "{fault}: {name} is left");
            left += 1;
            vnp_job::remove_if_there(&path).unwrap();
        }
        assert!(bench.saver(how).output().unwrap().status.success(), "{fault}");
        assert_eq!(bench.state(), State::New, "{fault}");
        assert_eq!(bench.names().len(), 1, "{fault}");
    });
    let Kills { kills, midway, old, new, torn, lost } = found;
    report(&format!(
        "{kills} kills at every call of {what}, {midway} of them in the middle of a write: {old} \
         old, {new} new, {torn} torn, {lost} acknowledged and lost, {left} temporaries left, all \
         recognised"
    ));
    assert_eq!((torn, lost), (0, 0));
    assert!(kills > 10 && midway >= 1 && old > 4 && new > 1 && left > 2);
}

#[test]
fn a_publication_survives_a_kill_at_every_call() {
    check_kills("a publication", "publish", Bench::new());
}

#[test]
fn a_first_publication_survives_a_kill_at_every_call() {
    check_kills("a first publication", "publish", Bench::first_save());
}

#[test]
fn a_published_directory_is_whole_after_a_kill_at_every_call() {
    check_kills("a published directory", "publish-directory", Bench::first_directory());
}

#[test]
fn a_publication_survives_every_loss_of_power() {
    for (what, bench) in
        [("a publication", Bench::new()), ("a first publication", Bench::first_save())]
    {
        let Some(bench) = bench else { return };
        let Losses { points, images, old, new, torn, lost, .. } = losses(&bench, "publish");
        report(&format!(
            "power lost at {points} points of {what}: {images} images: {old} old, {new} new, {torn} \
             torn, {lost} acknowledged and lost"
        ));
        assert_eq!((torn, lost), (0, 0));
        assert!(points > 5 && old > 10 && new > 2, "{points} points, {old} old, {new} new");
    }
}
