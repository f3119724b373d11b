//! What every command reads and writes, for the check before it starts.

use std::path::{Path, PathBuf};

use super::bundles::search_dirs;
use super::predict::default_output_dir;
use crate::args::{CheckpointCommand, Command, GlobalArgs, ModelsCommand};
use crate::paths::Files;

/// The files of a command, its log among them.
pub(crate) fn files(command: &Command, global: &GlobalArgs) -> Files {
    let files = of_command(command);
    match &global.log_file {
        Some(log) => files.log("--log-file", log),
        None => files,
    }
}

fn of_command(command: &Command) -> Files {
    let files = Files::default();
    match command {
        Command::Predict(args) => {
            let default = || default_output_dir(&args.input);
            files
                .inputs("input", &args.input)
                .inputs("the model", &model(&args.model))
                .inputs("--model-path", &args.model_path)
                .inputs("--resume-from", &args.resume_from)
                .job(&args.output_dir.clone().unwrap_or_else(default), &vnp_pipeline::names::JOB)
        }
        Command::Train(args) => files
            .inputs("input", args.input.iter().chain(&args.virus).chain(&args.others))
            .inputs("--labels", &args.labels)
            .inputs("--groups", &args.groups)
            .inputs("--encoder-recipe", &args.encoder_recipe)
            .inputs("the model", &model(&args.model))
            .job(&args.output_dir, &vnp_train::JOB),
        Command::ValidateCheckpoints(args) => {
            let log = args.dir.join(vnp_validate::FAILED_CHECKPOINTS);
            match args.log_failures {
                true => linked(&args.dir, &log)
                    .iter()
                    .fold(files, |files, path| files.input("checkpoint", path))
                    .log("the failure log", &log),
                false => files,
            }
        }
        Command::Checkpoint(CheckpointCommand::Inspect { file, .. }) => files.input("input", file),
        Command::Checkpoint(CheckpointCommand::Convert { input, output }) => {
            files.input("input", input).output("output", output)
        }
        Command::Models(ModelsCommand::Import(args)) => files
            .input("--esm2", &args.esm2)
            .input("--dnabert", &args.dnabert)
            .inputs("--tokenizer", &args.tokenizer)
            .input("--head", &args.head)
            .inputs("--fallback", &args.fallback)
            .whole("output directory", &args.output_dir),
        Command::Models(ModelsCommand::Verify { name }) => {
            files.inputs("the model", &name.as_deref().map(model).unwrap_or_default())
        }
        Command::Orfs(args) => files
            .inputs("input", &args.input)
            .output("--nucleotide", &args.nucleotide)
            .output("--protein", &args.protein),
        Command::Embed(args) => {
            let mut parts = args.output.clone().into_os_string();
            parts.push(".parts");
            files
                .input("input", &args.input)
                .inputs("--weights", &model(&args.weights))
                .output("output", &args.output)
                .whole("the directory of parts", Path::new(&parts))
        }
        Command::Reads(args) => {
            let files = files.input("the table of calls", &args.calls);
            let files = match args.alignments.given() {
                Some((option, path)) => files.input(option, path),
                None => files,
            };
            let files = files.output("output", &args.output);
            match &args.keep_ids {
                Some(list) => files.output("--keep-ids", list),
                None => files,
            }
        }
        Command::Validate(args) => files.input("input", &args.input),
        Command::Models(ModelsCommand::List | ModelsCommand::Path)
        | Command::Devices
        | Command::Completions { .. }
        | Command::Man => files,
    }
}

/// The directories and files that the name of a model or encoder may mean.
fn model(name: &str) -> Vec<PathBuf> {
    if name == vnp_infer::EMBEDDED_NAME {
        return Vec::new();
    }
    let named = search_dirs().into_iter().map(|dir| dir.join(name));
    std::iter::once(PathBuf::from(name)).chain(named).filter(|path| path.exists()).collect()
}

/// The checkpoints below a directory, if its failure log leads elsewhere and may be one of them.
fn linked(dir: &Path, log: &Path) -> Vec<PathBuf> {
    if !log.symlink_metadata().is_ok_and(|found| is_link(&found)) {
        return Vec::new();
    }
    let (mut files, mut dirs) = (Vec::new(), vec![dir.to_owned()]);
    while let Some(dir) = dirs.pop() {
        // What cannot be listed is reported by the validation.
        for path in vnp_job::entries(&dir).unwrap_or_default() {
            match path.symlink_metadata() {
                Ok(found) if found.is_dir() => dirs.push(path),
                _ if path != log => files.push(path),
                _ => {}
            }
        }
    }
    files
}

#[cfg(unix)]
fn is_link(file: &std::fs::Metadata) -> bool {
    use std::os::unix::fs::MetadataExt;
    file.is_symlink() || file.nlink() > 1
}

#[cfg(not(unix))]
fn is_link(file: &std::fs::Metadata) -> bool {
    file.is_symlink()
}
