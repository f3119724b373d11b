//! Small trainings of encoders and head: what they learn, and that they resume to the same bits.

use std::time::Duration;

use vnp_infer::{Bundle, Encoder as _, Head, ModelOptions};
use vnp_job::OnBadFile;

use super::*;
use crate::data::chunks::Chunk;
use crate::data::examples::Examples;
use crate::data::groups::Groups;
use crate::data::record::LabelledRecord;
use crate::data::shared_kmers::SharedKmers;
use crate::identity::Identity;
use crate::joint::recipe::{Augmentation, EncoderSize, LengthShare};
use crate::learn::fit::tests::{NEVER, is_interrupted};
use crate::learn::schedule::Schedule;
use crate::measure::confusion::Confusion;
use crate::measure::evaluation::Evaluation;
use crate::rng::Rng;
use crate::split::Split;
use crate::testing::{directory, open_bases, record, stopped_after};

/// Viruses rich in G, and others rich in C: both strands tell them apart by their codons.
struct Data {
    records: Vec<LabelledRecord>,
    groups: Groups,
    splits: Vec<Split>,
    chunks: Vec<Chunk>,
}

impl Data {
    fn new() -> Self {
        let records: Vec<_> = (0..16)
            .map(|number| {
                let is_virus = number % 2 == 0;
                let mut rng = Rng::new(number, "letters");
                let mut bases = open_bases(number, 900);
                for base in &mut bases {
                    if is_virus && *base == b'C' && rng.uniform() < 0.5 {
                        *base = b'A';
                    }
                }
                record(&format!("r{number}"), is_virus, &[], &bases)
            })
            .collect();
        let groups = Groups::of_records(&records);
        let of = [Split::Training, Split::Training, Split::Training, Split::Training];
        let of =
            [&of[..], &[Split::Training, Split::Training, Split::Validation, Split::Validation]];
        let splits: Vec<Split> = of.concat().into_iter().cycle().take(16).collect();
        let length = vnp_seq::ChunkLength::new(120).unwrap();
        let shared = SharedKmers::default();
        let (chunks, _) = Chunk::cut_all(&records, &groups, &splits, &shared, length, 0);
        let chunks = chunks.into_iter().filter(|chunk| chunk.split == Split::Validation).collect();
        Self { records, groups, splits, chunks }
    }

    fn train(
        &self,
        setup: &EncoderSetup,
        recipe: &JointRecipe,
        place: &std::path::Path,
        stop: usize,
    ) -> Result<TrainedModel, Error> {
        let data = JointData {
            records: &self.records,
            groups: self.groups.of_member(),
            splits: &self.splits,
            is_usable: &|_| true,
            validation: &self.chunks,
        };
        stopped_after(stop, |observer, stop| {
            let session = Session {
                directory: &directory(place),
                identity: &Identity::default().with("data", "aa"),
                on_bad_state: OnBadFile::Refuse,
                observer,
                stop,
                checkpoint_interval: Duration::from_secs(3600),
            };
            train_joint(data, setup, recipe, &session)
        })
    }
}

fn recipe() -> JointRecipe {
    let default = JointRecipe::default();
    JointRecipe {
        dnabert: EncoderSize { hidden: 8, layers: 1, heads: 2, inner: 8 },
        esm2: EncoderSize { hidden: 8, layers: 1, heads: 2, inner: 16 },
        units: 8,
        schedule: Schedule { rate: 1e-2, epochs: 3, average: Some(0.9), ..default.schedule },
        lengths: vec![
            LengthShare { length: 120, share: 0.6 },
            LengthShare { length: 60, share: 0.4 },
        ],
        batch: 8,
        steps: 6,
        augmentation: Augmentation { mutate: 0.01, ..default.augmentation },
        ..default
    }
}

fn model(
    data: &Data,
    setup: &EncoderSetup,
    recipe: &JointRecipe,
) -> (tempfile::TempDir, TrainedModel) {
    let place = tempfile::tempdir().unwrap();
    let trained = data.train(setup, recipe, place.path(), NEVER).unwrap();
    (place, trained)
}

#[test]
fn the_same_seed_gives_the_same_weights_and_a_stop_changes_nothing() {
    let (data, recipe) = (Data::new(), recipe());
    let setup = EncoderSetup::random(&recipe);
    let (_keep, undisturbed) = model(&data, &setup, &recipe);
    for stop in [0, 1, 5, 6, 11, 17] {
        let place = tempfile::tempdir().unwrap();
        let first = data.train(&setup, &recipe, place.path(), stop);
        assert!(is_interrupted(&first), "{stop}");
        let path = place.path();
        let resumed = data.train(&setup, &recipe, path, NEVER).unwrap();
        assert_eq!(resumed.weights, undisturbed.weights, "stopped at {stop}");
        assert_eq!(resumed.history, undisturbed.history);
    }
    let other = JointRecipe { seed: 2, ..recipe.clone() };
    assert_ne!(model(&data, &setup, &other).1.weights, undisturbed.weights);
}

#[test]
fn encoders_learn_what_tells_the_classes_apart() {
    let data = Data::new();
    let mut recipe = recipe();
    recipe.steps = 30;
    let setup = EncoderSetup::random(&recipe);
    let (_keep, model) = model(&data, &setup, &recipe);
    let (dnabert, esm2) = model.encoders(&setup, &ModelOptions::default()).unwrap();
    let sizes = (dnabert.hidden_size(), esm2.hidden_size());
    let head = Head::new(model.head(), sizes.0, sizes.1).unwrap();
    let encoders: (&dyn vnp_infer::Encoder, &dyn vnp_infer::Encoder) = (&dnabert, &esm2);
    let examples = Examples::embed(&data.chunks, &data.groups, &data.splits, encoders).unwrap();
    let scores = examples.score(&head).unwrap();
    let found = Evaluation::of(&examples, &scores, Split::Validation).unwrap().chunks;
    let Confusion { true_viral, true_other, .. } = found.confusion;
    assert!(true_viral > 0 && true_other > 0, "{found:?}");
    assert!(found.auroc.unwrap() > 0.9, "{found:?}");
    assert!(model.history[model.epoch].validation_loss < 0.6, "{:?}", model.history);
}

#[test]
fn the_last_epoch_is_kept_where_the_recipe_says_so() {
    let data = Data::new();
    let best = recipe();
    let last = JointRecipe { keep: Keep::Last, ..recipe() };
    let setup = EncoderSetup::random(&best);
    let (_keep, by_validation) = model(&data, &setup, &best);
    let (place, kept) = model(&data, &setup, &last);
    assert_eq!((kept.epoch, &kept.history), (2, &by_validation.history));
    let again = data.train(&setup, &last, place.path(), NEVER).unwrap();
    assert_eq!(again.weights, kept.weights);
    if by_validation.epoch == 2 {
        assert_eq!(by_validation.weights, kept.weights);
    } else {
        assert_ne!(by_validation.weights, kept.weights);
    }
}

#[test]
fn a_bundles_encoders_are_trained_further() {
    let bundle = Bundle::embedded().unwrap();
    let setup = EncoderSetup::of_bundle(&bundle).unwrap();
    let mut recipe = recipe();
    // A rate so small that hardly anything moves.
    recipe.schedule.rate = 1e-9;
    recipe.schedule.epochs = 1;
    recipe.steps = 1;
    let (_keep, model) = model(&Data::new(), &setup, &recipe);
    for (prefix, values) in
        [("dnabert.", bundle.dnabert_values().unwrap()), ("esm2.", bundle.esm2_values().unwrap())]
    {
        for (spec, expected) in values {
            let (shape, found) = model.weights.get(&format!("{prefix}{}", spec.name)).unwrap();
            assert_eq!(shape, spec.shape);
            let far = found.iter().zip(&expected).any(|(a, b)| (a - b).abs() > 1e-6);
            assert!(!far, "{prefix}{}", spec.name);
        }
    }
}

#[test]
fn settings_out_of_range_are_refused_by_name() {
    let check = |change: &dyn Fn(&mut JointRecipe), expected: &str| {
        let mut recipe = recipe();
        change(&mut recipe);
        let Err(Error::BadSetting { setting, .. }) = recipe.check() else { panic!("{expected}") };
        assert_eq!(setting, expected);
    };
    check(&|r| r.lengths.clear(), "lengths");
    check(&|r| r.lengths[0].share = 0.0, "length share");
    check(&|r| r.lengths[0].length = 5, "length");
    check(&|r| r.batch = 3, "batch");
    check(&|r| r.augmentation.mask = 1.0, "augmentation mask");
    check(&|r| r.augmentation.recode = 1.1, "augmentation recode");
    check(&|r| r.verdict = f64::NAN, "verdict");
}

#[test]
fn validation_needs_both_classes() {
    let mut data = Data::new();
    data.chunks.retain(|chunk| chunk.is_virus);
    let recipe = recipe();
    let place = tempfile::tempdir().unwrap();
    let setup = EncoderSetup::random(&recipe);
    let Err(Error::NoRows { split: Split::Validation, class: "other" }) =
        data.train(&setup, &recipe, place.path(), NEVER)
    else {
        panic!()
    };
}
