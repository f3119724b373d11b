//! Saved states: resumed, refused and quarantined.

use fs_err as fs;
use vnp_ckpt::Tensor;

use super::*;
use crate::learn::fit::tests::{Line, NEVER, Place, REFUSE, is_interrupted, schedule};

/// A training that was stopped before its eighth step.
fn stopped() -> Place {
    let place = Place::new();
    let stopped = place.fit(&mut Line::new(), &schedule(), REFUSE, 7);
    assert!(is_interrupted(&stopped));
    place
}

#[test]
fn a_training_is_resumed_where_there_is_none() {
    Place::new().fit(&mut Line::new(), &schedule(), REFUSE, NEVER).unwrap();
}

#[test]
fn every_field_that_differs_is_named() {
    let mut place = stopped();
    place.identity = Identity::default().with("data", "bb").with("seed", 1).with("new", 2);
    for on_bad_state in [REFUSE, OnBadFile::Recompute] {
        let resumed = place.fit(&mut Line::new(), &schedule(), on_bad_state, NEVER);
        let Err(error) = resumed else { panic!("{resumed:?}") };
        assert!(error.is_checkpoint_issue());
        let Error::Job(vnp_job::Error::OtherIdentity { differences, .. }) = error else {
            panic!("{error}")
        };
        let texts: Vec<String> = differences.iter().map(ToString::to_string).collect();
        assert_eq!(texts, ["data was aa, is now bb", "new was absent, is now 2"]);
    }
    assert!(place.state().exists());
}

/// Puts `state` in the place of a state: refused as it is, quarantined on request.
#[track_caller]
fn check_bad(place: &Place, state: &[u8], expected: &str) {
    fs::write(place.state(), state).unwrap();
    let resumed = place.fit(&mut Line::new(), &schedule(), REFUSE, NEVER);
    let Err(error) = resumed else { panic!("{expected}: resumed") };
    assert!(error.is_checkpoint_issue());
    let Error::BadState { path, reason } = &error else { panic!("{error}") };
    assert_eq!(*path, place.state());
    assert!(reason.contains(expected), "{reason}");
    assert_eq!(fs::read(place.state()).unwrap(), state);
    let quarantined = place.state().with_extension("vnp.bad");
    drop(std::fs::remove_file(&quarantined));
    place.fit(&mut Line::new(), &schedule(), OnBadFile::Recompute, NEVER).unwrap();
    assert_eq!(fs::read(&quarantined).unwrap(), state);
    let log = fs::read_to_string(place.state().with_file_name("failed_checkpoints.txt")).unwrap();
    assert!(log.contains("training.vnp") && log.contains(expected), "{log}");
}

#[test]
fn a_damaged_state_is_refused_and_quarantined_on_request() {
    let place = stopped();
    let whole = fs::read(place.state()).unwrap();
    check_bad(&place, &whole[..whole.len() - 1], "truncated");
    check_bad(&place, b"not a checkpoint", "is not a checkpoint");
    for at in [70, whole.len() / 2, whole.len() - 5] {
        let mut bytes = whole.clone();
        bytes[at] ^= 1;
        check_bad(&place, &bytes, "");
    }
}

#[test]
fn a_whole_file_with_other_contents_is_refused_by_what_is_wrong() {
    let place = stopped();
    let whole = vnp_ckpt::load_with_compatibility(&place.state(), &Limits::default()).unwrap();
    let rebuilt = |kind: &str, keep: &dyn Fn(&str) -> bool, extra: Option<(&str, &[usize])>| {
        let mut builder = Checkpoint::builder(kind);
        for (name, tensor) in whole.tensors().filter(|(name, _)| keep(name)) {
            builder = builder.free_tensor(name, tensor.clone());
        }
        for (name, value) in whole.metadata().iter().filter(|(name, _)| keep(name)) {
            builder = builder.metadata(name, value.clone());
        }
        if let Some((name, shape)) = extra {
            let tensor = Tensor::from_f32(shape, vec![0.0; shape.iter().product()]).unwrap();
            builder = builder.free_tensor(name, tensor);
        }
        vnp_ckpt::atomic_save(&place.state(), &builder.build().unwrap()).unwrap();
        fs::read(place.state()).unwrap()
    };
    let all = |_: &str| true;
    check_bad(&place, &rebuilt("scores", &all, None), "kind: expected training, found scores");
    for missing in ["present/slope", "best/seen", "average/offset", "mean/slope", "square/offset"] {
        let state = rebuilt(KIND, &|name| name != missing, None);
        check_bad(&place, &state, &format!("no tensor `{missing}`"));
        let state = rebuilt(KIND, &|name| name != missing, Some((missing, &[2])));
        check_bad(&place, &state, &format!("tensor `{missing}`: expected shape"));
    }
    for missing in ["identity", "step", "steps", "loss_sum", "history"] {
        let state = rebuilt(KIND, &|name| name != missing, None);
        check_bad(&place, &state, &format!("no metadata `{missing}`"));
    }
}
