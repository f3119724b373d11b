//! Power lost at every point of a save, in a model of the disk.

use std::collections::HashSet;

use vnp_faults::{Disk, Event, Image, Record};

use crate::support::{BEGINS, Bench, DONE, State, TARGET, Tally, report};

/// Counts of what a loss of power may leave of a save.
#[derive(Debug, Default)]
pub(crate) struct Losses {
    pub(crate) points: usize,
    pub(crate) images: usize,
    pub(crate) left: Tally,
    pub(crate) different: HashSet<Image>,
}

/// Records a save and inspects everything that a loss of power may leave of it.
pub(crate) fn losses(bench: &Bench, how: &str) -> Losses {
    bench.reset();
    let trace = bench.tracer().record().run(&bench.saver(how)).unwrap();
    assert!(trace.status.success(), "{}", trace.stderr);
    let record = trace.record;
    let mut losses = Losses::default();
    let mut disk = Disk::new(&record);
    for point in 0..=record.events.len() {
        inspect(bench, &record, &disk, point, &mut losses);
        if let Some((_, event)) = record.events.get(point) {
            disk.apply(event);
        }
    }
    assert_eq!(bench.state_of(disk.live().file(TARGET)), State::New);
    losses
}

fn inspect(bench: &Bench, record: &Record, disk: &Disk, point: usize, losses: &mut Losses) {
    let acknowledged = record.had_printed(DONE, point);
    let images = disk.after_loss(|image| {
        losses.left.add(bench.state_of(image.file(TARGET)), acknowledged);
        losses.different.insert(image.clone());
    });
    losses.images += images.unwrap();
    losses.points += 1;
}

/// A loss of power leaves a whole file whenever it happens.
pub(crate) fn check_losses(what: &str, bench: &Bench, how: &str) -> Losses {
    let losses = losses(bench, how);
    let Losses { points, images, left, different } = &losses;
    report(&format!(
        "power lost at {points} points of {what}: {images} images, {} different: {left}",
        different.len()
    ));
    assert_eq!((left.torn, left.lost), (0, 0));
    losses
}

#[test]
fn a_save_survives_every_loss_of_power() {
    check("a save", Bench::new());
}

#[test]
fn a_first_save_survives_every_loss_of_power() {
    check("a first save", Bench::first_save());
}

fn check(what: &str, bench: Option<Bench>) {
    let Some(bench) = bench else { return };
    let Losses { points, left, different, .. } = check_losses(what, &bench, "save");
    assert!(points > 15 && left.old > 100 && left.new > 10, "{points} points, {left}");

    // The next session can continue from each of them.
    let step = different.len().div_ceil(60);
    for image in different.iter().step_by(step) {
        bench.reset();
        if bench.target().exists() {
            fs_err::remove_file(bench.target()).unwrap();
        }
        image.write(bench.path()).unwrap();
        bench.recover("after a loss of power");
    }
}

/// Events before the save begins are not part of the record.
#[test]
fn the_record_is_that_of_the_save() {
    let Some(bench) = Bench::new() else { return };
    let trace = bench.tracer().record().run(&bench.saver("save")).unwrap();
    let first = trace.record.events.first().map(|(_, event)| event);
    assert_eq!(first, Some(&Event::Printed { data: format!("{BEGINS}\n").into_bytes() }));
    let names: Vec<_> = trace.calls.iter().map(|call| call.name).collect();
    for name in ["mkdir", "openat", "write", "read", "fsync", "rename", "unlink"] {
        assert!(names.iter().any(|known| known.starts_with(name)), "no {name} among {names:?}");
    }
}
