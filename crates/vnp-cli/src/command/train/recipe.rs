//! The settings of learning, from the arguments.

use anyhow::Context;
use vnp_escape::escaped_path;
use vnp_train::{HeadRecipe, JointRecipe, LengthShare, Optimizer, Sampling, Schedule};

use crate::args::{OptimizerName, RecipeArgs, TrainArgs};

/// PyTorch's weight decay for AdamW.
const DECAY: f64 = 0.01;
/// Its learning rate.
const ADAMW_RATE: f64 = 1e-3;

/// The recipe of encoders and head: that of the file, or the default one for chunks of this length.
pub(super) fn joint(args: &TrainArgs, length: u32) -> anyhow::Result<JointRecipe> {
    let mut recipe = match &args.encoder_recipe {
        Some(path) => {
            let text = fs_err::read(path)?;
            serde_json::from_slice(&text).with_context(|| escaped_path(path).to_string())?
        }
        // Mostly windows of this length, and some shorter ones.
        None => JointRecipe {
            lengths: vec![
                LengthShare { length, share: 0.75 },
                LengthShare { length: (length * 3 / 5).max(6), share: 0.25 },
            ],
            ..JointRecipe::default()
        },
    };
    recipe.seed = args.seed;
    Ok(recipe)
}

/// The recipe of a head; settings without an option are the original's.
pub(super) fn head(args: &TrainArgs) -> HeadRecipe {
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
