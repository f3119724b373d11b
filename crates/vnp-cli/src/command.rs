mod checkpoint;
mod completions;
mod devices;
mod embed;
mod model_source;
mod models;
mod orfs;
mod predict;
mod stdin;
mod train;
mod validate;
mod validate_checkpoints;

use crate::args::{CheckpointCommand, Command};
use crate::exit::Exit;
use crate::logging::Console;

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
        Command::Embed(args) => embed::run(&args),
        Command::Devices => devices::run(),
        Command::Validate(args) => validate::run(&args),
        Command::Completions { shell } => completions::completions(shell),
        Command::Man => completions::man(),
    }
}

/// Sets the number of threads of every parallel part. Must come before the first of them.
fn use_threads(threads: Option<std::num::NonZeroUsize>) -> anyhow::Result<()> {
    let builder = rayon::ThreadPoolBuilder::new();
    // 0 is rayon's word for "as many as this process may use".
    builder.num_threads(threads.map_or(0, usize::from)).build_global()?;
    Ok(())
}
