//! The recipe of a head, from the arguments.

use vnp_train::{HeadRecipe, Optimizer, Sampling, Schedule};

use crate::args::{OptimizerName, RecipeArgs, TrainArgs};

/// PyTorch's weight decay for AdamW.
const DECAY: f64 = 0.01;
/// Its learning rate.
const ADAMW_RATE: f64 = 1e-3;

/// The recipe that was asked for; what no option says is the original's.
pub(super) fn of(args: &TrainArgs) -> HeadRecipe {
    let RecipeArgs {
        optimizer,
        learning_rate,
        epochs,
        patience,
        batch_size,
        dropout,
        units,
        standardise,
        balanced,
    } = &args.recipe;
    let default = HeadRecipe::default();
    let (optimizer, rate) = match optimizer {
        OptimizerName::Sgd => (default.schedule.optimizer, default.schedule.rate),
        OptimizerName::Adamw => (Optimizer::adam_w(DECAY), ADAMW_RATE),
    };
    HeadRecipe {
        seed: args.seed,
        units: units.get(),
        dropout: *dropout,
        batch: batch_size.get(),
        schedule: Schedule {
            optimizer,
            rate: learning_rate.unwrap_or(rate),
            epochs: epochs.get(),
            patience: patience.get(),
            ..default.schedule
        },
        standardise: *standardise,
        sampling: if *balanced { Sampling::Balanced } else { default.sampling },
        ..default
    }
}
