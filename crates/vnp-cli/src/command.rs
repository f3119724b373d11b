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
mod stdin;
mod threads;
mod train;
mod validate;
mod validate_checkpoints;

use crate::args::{CheckpointCommand, Command};
use crate::exit::Exit;
use crate::logging::Console;
pub(crate) use files::files;

/// Runs one command.
pub(crate) fn run(command: Command, console: &Console) -> anyhow::Result<Exit> {
    match command {
        Command::Predict(args) => predict::run(&args, console),
        Command::Train(args) => train::run(&args, console),
        Command::ValidateCheckpoints(args) => validate_checkpoints::run(&args),
        Command::Checkpoint(CheckpointCommand::Inspect { file, json }) => {
            checkpoint::inspect(&file, json)
        }
        Command::Checkpoint(CheckpointCommand::Convert { input, output }) => {
            checkpoint::convert(&input, &output)
        }
        Command::Models(command) => models::run(command),
        Command::Orfs(args) => orfs::run(&args, console),
        Command::Embed(args) => embed::run(&args, console),
        Command::Devices => devices::run(),
        Command::Validate(args) => validate::run(&args),
        Command::Completions { shell } => completions::completions(shell),
        Command::Man => completions::man(),
    }
}
