//! Savers that are known to be wrong: a harness that does not catch them proves nothing.

use crate::kills::kills;
use crate::power::losses;
use crate::support::{Bench, report};

#[test]
fn writing_in_place_is_caught() {
    let Some(bench) = Bench::new() else { return };
    let power = losses(&bench, "in-place");
    let kills = kills(&bench, "in-place", |_| {});
    report(&format!(
        "control, in place: {} of {} images torn; {} of {} kills leave a torn file",
        power.torn, power.images, kills.torn, kills.kills
    ));
    assert!(power.torn > 10 && kills.torn > 5);
}

#[test]
fn a_rename_without_fsync_is_caught() {
    let Some(bench) = Bench::new() else { return };
    let power = losses(&bench, "rename-without-fsync");
    report(&format!(
        "control, rename without fsync: {} of {} images torn, {} acknowledged and lost",
        power.torn, power.images, power.lost
    ));
    assert!(power.torn > 0 && power.lost > 0);
}

#[test]
fn a_rename_without_fsync_of_the_directory_is_caught() {
    let Some(bench) = Bench::new() else { return };
    let power = losses(&bench, "rename-without-directory-fsync");
    report(&format!(
        "control, rename without fsync of the directory: {} of {} images torn, {} acknowledged \
         and lost",
        power.torn, power.images, power.lost
    ));
    assert_eq!(power.torn, 0);
    assert!(power.lost > 0);
}
