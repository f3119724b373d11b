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
        power.left.torn, power.images, kills.left.torn, kills.kills
    ));
    assert!(power.left.torn > 10 && kills.left.torn > 5);
}

#[test]
fn a_rename_without_fsync_is_caught() {
    let Some(bench) = Bench::new() else { return };
    let power = losses(&bench, "rename-without-fsync");
    report(&format!(
        "control, rename without fsync: {} of {} images torn, {} acknowledged and lost",
        power.left.torn, power.images, power.left.lost
    ));
    assert!(power.left.torn > 0 && power.left.lost > 0);
}

#[test]
fn a_rename_without_fsync_of_the_directory_is_caught() {
    let Some(bench) = Bench::new() else { return };
    let power = losses(&bench, "rename-without-directory-fsync");
    report(&format!(
        "control, rename without fsync of the directory: {} of {} images torn, {} acknowledged \
         and lost",
        power.left.torn, power.images, power.left.lost
    ));
    assert_eq!(power.left.torn, 0);
    assert!(power.left.lost > 0);
}
