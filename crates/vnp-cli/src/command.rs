//! The commands of `vnp`: one file for each, and what several of them share.

mod bundles;
mod checkpoint;
mod completions;
mod devices;
mod embed;
mod files;
mod model_source;
mod models;
mod orfs;
mod predict;
mod reads;
mod stdin;
mod threads;
mod train;
mod validate;
mod validate_checkpoints;

use vnp_job::StopFlag;

use crate::args::{CheckpointCommand, Command, ModelsCommand};
use crate::exit::Exit;
use crate::logging::Console;
use crate::signals::Leaves;
pub(crate) use files::files;

/// Runs one command.
pub(crate) fn run(command: Command, console: &Console, stop: &StopFlag) -> anyhow::Result<Exit> {
    match command {
        Command::Predict(args) => predict::run(&args, console, stop),
        Command::Train(args) => train::run(&args, console, stop),
        Command::ValidateCheckpoints(args) => validate_checkpoints::run(&args),
        Command::Checkpoint(CheckpointCommand::Inspect { file, json }) => {
            checkpoint::inspect(&file, json)
        }
        Command::Checkpoint(CheckpointCommand::Convert { input, output }) => {
            checkpoint::convert(&input, &output)
        }
        Command::Models(command) => models::run(command),
        Command::Orfs(args) => orfs::run(&args, console, stop),
        Command::Embed(args) => embed::run(&args, console, stop),
        Command::Reads(args) => reads::run(&args, stop),
        Command::Devices => devices::run(),
        Command::Validate(args) => validate::run(&args),
        Command::Completions { shell } => completions::completions(shell),
        Command::Man => completions::man(),
    }
}

/// What a command leaves that a signal interrupts.
pub(crate) fn leaves(command: &Command) -> Leaves {
    match command {
        Command::Predict(_) | Command::Train(_) | Command::Embed(_) => Leaves::Work,
        Command::Orfs(_)
        | Command::Reads(_)
        | Command::Checkpoint(CheckpointCommand::Convert { .. }) => {
            Leaves::Words("nothing was written")
        }
        Command::Models(ModelsCommand::Import(_)) => Leaves::Words("no unfinished model is left"),
        Command::ValidateCheckpoints(_)
        | Command::Checkpoint(CheckpointCommand::Inspect { .. })
        | Command::Models(_)
        | Command::Devices
        | Command::Validate(_)
        | Command::Completions { .. }
        | Command::Man => Leaves::Words("nothing was changed"),
    }
}
