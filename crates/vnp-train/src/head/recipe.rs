//! The settings with which a head is trained.

use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::identity::Identity;
use crate::learn::optimizer::Optimizer;
use crate::learn::schedule::{Course, Schedule, within};

/// Everything that determines a head apart from its examples.
///
/// The default is the recipe of the original.
///
/// ```
/// use vnp_train::HeadRecipe;
///
/// let recipe = HeadRecipe { standardise: true, ..HeadRecipe::default() };
/// assert_eq!((recipe.units, recipe.batch, recipe.schedule.rate), (512, 32, 2e-4));
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct HeadRecipe {
    /// The seed of everything random.
    pub seed: u64,
    /// The number of hidden units.
    pub units: usize,
    /// The dropout rate of the hidden units.
    pub dropout: f64,
    /// The rows of a step.
    pub batch: usize,
    /// Optimizer, rate, epochs, patience.
    pub schedule: Schedule,
    /// Whether features are first standardised to mean 0 and deviation 1. The resulting head takes
    /// features as they are: its first layer includes the transformation.
    pub standardise: bool,
    /// The rows that an epoch consists of.
    pub sampling: Sampling,
    /// The label smoothing: the share of every label that both classes get.
    pub smoothing: f64,
}

/// The rows that an epoch consists of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Sampling {
    /// Each row once, in random order.
    EveryRow,
    /// Twice as many rows as there are viral ones, half of them viral. A row of a group of n rows is
    /// drawn with the weight 1/sqrt(n), so that a few large groups do not dominate. In the validation
    /// loss both
    /// classes have the same weight.
    Balanced,
}

impl Default for HeadRecipe {
    fn default() -> Self {
        Self {
            seed: 1,
            units: 512,
            dropout: 0.5,
            batch: 32,
            schedule: Schedule {
                optimizer: Optimizer::Sgd { momentum: 0.9, decay: 0.0 },
                rate: 2e-4,
                course: Course::Step { epochs: 10, factor: 0.85 },
                epochs: 200,
                patience: 5,
                clip: None,
                average: None,
            },
            standardise: false,
            sampling: Sampling::EveryRow,
            smoothing: 0.0,
        }
    }
}

/// Hidden units at most: more than any head has, and few enough to allocate.
const MOST_UNITS: f64 = 65_536.0;

impl HeadRecipe {
    /// Refuses settings out of range, as [`train_head`](crate::train_head) does: early, before other
    /// work.
    ///
    /// # Errors
    /// [`Error::BadSetting`]
    pub fn check(&self) -> Result<(), Error> {
        within("units", self.units as f64, 0.0, MOST_UNITS + 1.0, "1 to 65536")?;
        within("batch", self.batch as f64, 1.0, f64::MAX, "2 or more: the norm is of a batch")?;
        for (setting, share) in [("dropout", self.dropout), ("smoothing", self.smoothing)] {
            within(setting, share, -f64::MIN_POSITIVE, 1.0, "from 0 to below 1")?;
        }
        self.schedule.check()
    }

    /// The identity with every setting as a field of its own: `recipe.schedule.rate` and so on.
    pub(crate) fn identify(&self, identity: Identity) -> Result<Identity, Error> {
        identity.with_all("recipe", self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_is_the_original() {
        let recipe = HeadRecipe::default();
        let rates = [0, 9, 10, 199].map(|epoch| recipe.schedule.rate(epoch, 0, 1));
        assert_eq!(rates[..2], [2e-4; 2]);
        assert!((rates[2] - 1.7e-4).abs() < 1e-12);
        assert!((rates[3] - 2e-4 * 0.85f64.powi(19)).abs() < 1e-12);
        assert!(recipe.check().is_ok());
    }

    #[test]
    fn every_setting_is_part_of_the_identity() {
        let of = |recipe: &HeadRecipe| recipe.identify(Identity::default()).unwrap();
        let old = of(&HeadRecipe::default());
        let check = |recipe: HeadRecipe, expected: &[&str]| {
            let fields = of(&recipe).differences(&old).into_iter().map(|d| d.field);
            assert_eq!(fields.collect::<Vec<_>>(), expected);
        };
        check(HeadRecipe::default(), &[]);
        check(HeadRecipe { seed: 2, ..HeadRecipe::default() }, &["recipe.seed"]);
        check(HeadRecipe { standardise: true, ..HeadRecipe::default() }, &["recipe.standardise"]);
        let mut recipe = HeadRecipe::default();
        recipe.schedule.clip = Some(1.0);
        recipe.schedule.optimizer = Optimizer::Sgd { momentum: 0.8, decay: 0.0 };
        let fields = ["recipe.schedule.clip", "recipe.schedule.optimizer.sgd.momentum"];
        check(recipe, &fields);
    }

    #[test]
    fn settings_out_of_range_are_refused_by_name() {
        let check = |recipe: HeadRecipe, expected: &str| {
            let Err(Error::BadSetting { setting, .. }) = recipe.check() else {
                panic!("{expected}")
            };
            assert_eq!(setting, expected);
        };
        check(HeadRecipe { batch: 1, ..HeadRecipe::default() }, "batch");
        check(HeadRecipe { units: 0, ..HeadRecipe::default() }, "units");
        check(HeadRecipe { units: 10_000_000_000, ..HeadRecipe::default() }, "units");
        check(HeadRecipe { dropout: 1.0, ..HeadRecipe::default() }, "dropout");
        check(HeadRecipe { smoothing: f64::NAN, ..HeadRecipe::default() }, "smoothing");
    }
}
