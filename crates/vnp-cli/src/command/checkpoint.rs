//! `vnp checkpoint`: shows one checkpoint, or converts it to another format.

mod inspect;
mod view;

use std::path::Path;

use anyhow::bail;
use vnp_ckpt::{Checkpoint, Error, ErrorKind, Format, Limits};
use vnp_escape::{escaped_path, shown};

use self::view::Inspected;
use crate::exit::{CheckpointIssue, Exit};
use crate::output;

/// `vnp checkpoint inspect`: exit 3 if the file is not an intact checkpoint.
pub(crate) fn inspect(file: &Path, as_json: bool) -> anyhow::Result<Exit> {
    let open = Checkpoint::open(file, &Limits::default()).map_err(of_reading)?;
    let inspected = Inspected::new(file, open.header(), open.integrity());
    output::stream(|out| match as_json {
        true => output::json::pretty(out, &inspected),
        false => inspect::write(out, file, &inspected),
    })?;
    Ok(Exit::Done)
}

/// `vnp checkpoint convert`: the extension of the output and the first bytes of the input decide on
/// their formats.
pub(crate) fn convert(input: &Path, output: &Path) -> anyhow::Result<Exit> {
    let Some(format) = Format::of_path(output) else {
        let known = Format::ALL.map(|format| format!(".{}", format.extension())).join(", ");
        bail!("{}: the name of the output must end in one of {known}", escaped_path(output));
    };
    let checkpoint =
        vnp_ckpt::load_with_compatibility(input, &Limits::default()).map_err(of_reading)?;
    // A directory that cannot be listed can still be written to.
    if let Some(Err(error)) = output.parent().map(sweep) {
        log::debug!("{error}");
    }
    format.save(output, &checkpoint)?;
    log::info!(
        "converted {} (version {}, {}, {}, {}) to {}",
        escaped_path(input),
        checkpoint.version(),
        shown(checkpoint.kind()),
        output::counted(checkpoint.rows().len(), "row"),
        output::counted(checkpoint.tensors().len() as u64, "tensor"),
        escaped_path(output)
    );
    Ok(Exit::Done)
}

/// Removes what killed conversions left in a directory.
fn sweep(directory: &Path) -> Result<(), Error> {
    let directory = if directory.as_os_str().is_empty() { Path::new(".") } else { directory };
    for removed in vnp_ckpt::sweep_abandoned_temporaries(directory)? {
        log::debug!("{} was left by a killed process: removed", escaped_path(&removed));
    }
    Ok(())
}

/// A file that cannot be read is not a checkpoint issue.
fn of_reading(error: Error) -> anyhow::Error {
    match error.kind() {
        ErrorKind::Io { .. } | ErrorKind::OutOfMemory { .. } => error.into(),
        _ => CheckpointIssue(error).into(),
    }
}
