//! Trainings of a head: what they learn, and that they resume to the same bits.

use std::time::Duration;

use vnp_job::OnBadFile;

use super::*;
use crate::data::examples::tests::examples;
use crate::head::recipe::Sampling;
use crate::identity::Identity;
use crate::learn::fit::tests::is_interrupted;
use crate::learn::optimizer::Optimizer;
use crate::learn::schedule::{Course, Schedule};
use crate::testing;

fn recipe() -> HeadRecipe {
    HeadRecipe {
        units: 12,
        batch: 16,
        dropout: 0.2,
        schedule: Schedule {
            rate: 0.05,
            course: Course::Step { epochs: 2, factor: 0.9 },
            epochs: 6,
            patience: 6,
            ..HeadRecipe::default().schedule
        },
        ..HeadRecipe::default()
    }
}

fn train(
    directory: &std::path::Path,
    examples: &Examples,
    recipe: &HeadRecipe,
    stop: usize,
) -> Result<TrainedHead, Error> {
    testing::stopped_after(stop, |observer, stop| {
        let session = Session {
            directory: &testing::directory(directory),
            identity: &Identity::default().with("encoders", "e"),
            on_bad_state: OnBadFile::Refuse,
            observer,
            stop,
            checkpoint_interval: Duration::from_secs(3600),
        };
        train_head(examples, recipe, &session)
    })
}

#[track_caller]
fn trained(examples: &Examples, recipe: &HeadRecipe) -> TrainedHead {
    let directory = tempfile::tempdir().unwrap();
    train(directory.path(), examples, recipe, usize::MAX).unwrap()
}

fn recipes() -> [HeadRecipe; 3] {
    let adam = Schedule {
        optimizer: Optimizer::adam_w(0.01),
        rate: 0.02,
        clip: Some(1.0),
        average: Some(0.9),
        ..recipe().schedule
    };
    let balanced = HeadRecipe {
        sampling: Sampling::Balanced,
        standardise: true,
        smoothing: 0.1,
        schedule: adam,
        ..recipe()
    };
    [recipe(), HeadRecipe { standardise: true, ..recipe() }, balanced]
}

#[test]
fn a_head_learns_what_is_not_linear() {
    for recipe in recipes() {
        let recipe = HeadRecipe { schedule: Schedule { epochs: 40, ..recipe.schedule }, ..recipe };
        let examples = examples(1);
        let head = trained(&examples, &recipe);
        let head = vnp_infer::Head::new(head.tensors, 3, 1).unwrap();
        let right = examples.rows_of(Split::Test).into_iter().filter(|row| {
            let (nucleotide, protein) = examples.row(*row).split_at(3);
            let [others, virus] = head.score(nucleotide, protein).unwrap()[0];
            (virus > others) == examples.rows[*row].is_virus
        });
        let right = right.count();
        assert!(right >= 32, "{right} of 40: {recipe:?}");
    }
}

#[test]
fn a_training_stopped_at_any_step_comes_to_the_same_bits() {
    let examples = examples(1);
    for recipe in recipes() {
        let expected = trained(&examples, &recipe);
        for stop in [0, 9, 10, 25] {
            let directory = tempfile::tempdir().unwrap();
            let stopped = train(directory.path(), &examples, &recipe, stop);
            assert!(is_interrupted(&stopped), "{stopped:?}");
            let head = train(directory.path(), &examples, &recipe, usize::MAX).unwrap();
            assert_eq!(head.weights, expected.weights, "{stop}");
            assert_eq!(head.history, expected.history, "{stop}");
        }
    }
}

/// What the test below asks of processes of its own: products are shared by as many threads as the
/// process began with.
#[test]
#[ignore = "run by no_number_of_threads_changes_a_bit"]
fn weights_of_this_process() {
    // As many features as make the products worth sharing.
    let mut wide = examples(1);
    let mut rng = crate::Rng::new(1, "wide");
    wide.features = (0..240 * 3000).map(|_| rng.normal()).collect();
    (wide.nucleotide_size, wide.protein_size) = (600, 2400);
    let schedule = Schedule { epochs: 2, clip: Some(1.0), ..recipe().schedule };
    let weights =
        trained(&wide, &HeadRecipe { units: 300, batch: 32, schedule, ..recipe() }).weights;
    let bytes = weights.iter().flat_map(|(.., values)| values).flat_map(|x| x.to_le_bytes());
    println!("weights: {}", hex::encode(Sha256::digest(bytes.collect::<Vec<u8>>())));
}

#[test]
fn no_number_of_threads_changes_a_bit() {
    let weights = ["1", "2", "3"].map(|threads| {
        let test = "head::train::tests::weights_of_this_process";
        let output = std::process::Command::new(std::env::current_exe().unwrap())
            .args(["--exact", test, "--ignored", "--nocapture"])
            .env("RAYON_NUM_THREADS", threads)
            .output()
            .unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        let line = text.lines().find(|line| line.contains("weights: ")).map(str::to_owned);
        line.unwrap_or_else(|| panic!("{text}"))
    });
    assert_eq!(weights[0], weights[1]);
    assert_eq!(weights[0], weights[2]);
}

/// Fault of the original: the model was saved only if early stopping fired.
#[test]
fn fault_1_a_head_results_also_where_patience_never_ends() {
    let recipe = HeadRecipe { schedule: Schedule { epochs: 2, ..recipe().schedule }, ..recipe() };
    let directory = tempfile::tempdir().unwrap();
    let head = train(directory.path(), &examples(1), &recipe, usize::MAX).unwrap();
    assert_eq!((head.history.len(), head.tensors.len()), (2, 8));
    assert!(directory.path().join("checkpoints/training.vnp").exists());
}

/// Fault of the original: the "best" weights were a live reference to the last ones.
#[test]
fn fault_2_the_best_weights_are_those_of_the_best_epoch() {
    // A rate so high that the last epoch is not the best.
    let schedule = Schedule { rate: 1.0, epochs: 12, patience: 12, ..recipe().schedule };
    let recipe = HeadRecipe { schedule, ..recipe() };
    let examples = examples(1);
    let head = trained(&examples, &recipe);
    assert!(head.best_epoch + 1 < head.history.len(), "{:?}", head.history);
    let until_then = Schedule { epochs: head.best_epoch + 1, ..recipe.schedule.clone() };
    let until_then = trained(&examples, &HeadRecipe { schedule: until_then, ..recipe });
    assert_eq!(until_then.weights, head.weights);
    let smallest = head.history.iter().map(|e| e.validation_loss).fold(f64::INFINITY, f64::min);
    assert_eq!(head.history[head.best_epoch].validation_loss, smallest);
}

/// Fault of the original: no seed.
#[test]
fn fault_3_the_same_seed_gives_the_same_bits_and_another_one_others() {
    let examples = examples(1);
    let first = trained(&examples, &recipe());
    assert_eq!(trained(&examples, &recipe()).weights, first.weights);
    let other = trained(&examples, &HeadRecipe { seed: 2, ..recipe() });
    assert_ne!(other.weights, first.weights);
}

/// Fault of the original: frames of one genome stood on both sides of the split.
#[test]
fn fault_4_validation_and_test_groups_never_train() {
    let examples = examples(1);
    let first = trained(&examples, &recipe());
    let change = |split: Split| {
        let mut changed = examples.clone();
        for row in examples.rows_of(split) {
            changed.features[4 * row] += 3.0;
        }
        trained(&changed, &recipe())
    };
    // The first epoch's training knows neither; validation only chooses; the test split is not used.
    let losses = |head: &TrainedHead| {
        head.history.iter().map(|epoch| epoch.training_loss).collect::<Vec<_>>()
    };
    let validation = change(Split::Validation);
    assert_eq!(losses(&validation), losses(&first));
    assert_ne!(validation.history, first.history);
    let test = change(Split::Test);
    assert_eq!((test.weights, test.history), (first.weights.clone(), first.history.clone()));
    assert_ne!(losses(&change(Split::Training)), losses(&first));
}

#[test]
fn a_missing_class_is_named_with_its_part() {
    let mut examples = examples(1);
    // The only viral group of the validation split.
    examples.groups[8].split = Split::Test;
    let directory = tempfile::tempdir().unwrap();
    let outcome = train(directory.path(), &examples, &recipe(), usize::MAX);
    let Err(Error::NoRows { split: Split::Validation, class: "viral" }) = outcome else {
        panic!("{outcome:?}")
    };
    assert!(!directory.path().join("checkpoints/training.vnp").exists());
}

#[test]
fn other_examples_are_another_training() {
    let directory = tempfile::tempdir().unwrap();
    assert!(is_interrupted(&train(directory.path(), &examples(1), &recipe(), 3)));
    let other = HeadRecipe { seed: 2, ..recipe() };
    let resumed = train(directory.path(), &examples(2), &other, usize::MAX);
    let Err(Error::Job(vnp_job::Error::OtherIdentity { differences, .. })) = resumed else {
        panic!("{resumed:?}")
    };
    let fields: Vec<&str> = differences.iter().map(|d| d.field.as_str()).collect();
    assert_eq!(fields, ["examples", "recipe.seed"]);
}
