//! Messages: on standard error above the progress bar, and in the log file.

use std::fs::File;
use std::io::{self, IsTerminal, Write};
use std::path::Path;
use std::sync::{Arc, Mutex};

use anyhow::{Context, ensure};
use env_logger::{Builder, Target, WriteStyle};
use indicatif::{MultiProgress, ProgressDrawTarget};
use log::LevelFilter;
use vnp_escape::{escaped, escaped_path};
use vnp_job::publish::open_special;
use vnp_job::{LOG_FIRST_LINE, is_log_file};

use crate::args::GlobalArgs;
use crate::paths::Files;

/// Letters of a message. Those of ours are shorter; a library might quote a whole file.
const LONGEST_MESSAGE: usize = 1 << 14;

/// Standard error, shared by the messages and the progress bar.
#[derive(Clone, Debug)]
pub(crate) struct Console {
    bars: MultiProgress,
    /// Whether progress is drawn as a bar rather than logged at intervals.
    pub(crate) interactive: bool,
    /// Whether progress is reported at all.
    pub(crate) wants_progress: bool,
}

impl Console {
    pub(crate) fn bars(&self) -> &MultiProgress {
        &self.bars
    }
}

/// Opens the file of `--log-file`, if there is one. Its folder is created where it is, or lies in, the
/// output directory of a job.
pub(crate) fn open(args: &GlobalArgs, files: &Files) -> anyhow::Result<Option<File>> {
    let Some(path) = &args.log_file else { return Ok(None) };
    ensure!(
        !files.leads_out_of_job(path),
        "{} is a symbolic link, or lies behind one that leads out of the output directory: name \
         another file as --log-file",
        escaped_path(path)
    );
    if files.is_in_job(path)
        && let Some(folder) = path.parent()
    {
        fs_err::create_dir_all(folder).context("cannot create the folder of the log")?;
    }
    open_log(path).map(Some)
}

/// Starts logging to standard error, and to a file if there is one.
pub(crate) fn start(args: &GlobalArgs, file: Option<File>) -> anyhow::Result<Console> {
    let interactive = io::stderr().is_terminal() && !args.no_progress && !args.quiet;
    let target =
        if interactive { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
    let console = Console {
        bars: MultiProgress::with_draw_target(target),
        interactive,
        wants_progress: !args.quiet,
    };
    let tee = Tee { bars: interactive.then(|| console.bars.clone()), file, pending: Vec::new() };
    let ours = match (args.quiet, args.verbose) {
        (true, _) => LevelFilter::Warn,
        (false, 0) => LevelFilter::Info,
        (false, 1) => LevelFilter::Debug,
        (false, _) => LevelFilter::Trace,
    };
    Builder::new()
        .filter_level(LevelFilter::Warn)
        .filter_module("vnp", ours)
        .write_style(WriteStyle::Never)
        .format(|out, record| {
            let now = jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ");
            // Whatever a message quotes, it is one line, and changes nothing on a terminal.
            let message = escaped(record.args()).cut(LONGEST_MESSAGE);
            writeln!(out, "{now} {:<5} {message}", record.level())
        })
        .target(Target::Pipe(Box::new(Shared(Arc::new(Mutex::new(tee))))))
        .try_init()?;
    Ok(console)
}

/// Whether a path is standard output or standard error by name.
fn is_standard(path: &Path) -> bool {
    let streams = [
        "/dev/stdout",
        "/dev/stderr",
        "/dev/fd/1",
        "/dev/fd/2",
        "/proc/self/fd/1",
        "/proc/self/fd/2",
    ];
    streams.iter().any(|stream| path == Path::new(stream))
}

/// Opens a log file to append to it: a new or empty one, a log of ours, or a special file. No other
/// file gets a line of ours.
fn open_log(path: &Path) -> anyhow::Result<File> {
    if let Some(file) = open_special(path).context("cannot open the log file")? {
        // A file that the shell has opened may hold anything; standard output and error are for messages.
        let found = file.metadata()?;
        let is_other = found.is_file() && found.len() > 0 && !is_standard(path);
        ensure!(
            !is_other || is_log_file(path).context("cannot read the log file")?,
            "{} is not a log file of vnp: nothing was written to it; name an empty one",
            escaped_path(path)
        );
        return Ok(file);
    }
    let mut options = fs_err::OpenOptions::new();
    let file = options.append(true).create(true).open(path).context("cannot open the log file")?;
    let (mut file, _) = file.into_parts();
    if file.metadata()?.len() == 0 {
        writeln!(file, "{LOG_FIRST_LINE}").context("cannot write the log file")?;
    } else {
        let is_ours = is_log_file(path).context("cannot read the log file")?;
        ensure!(
            is_ours,
            "{} is not a log file of vnp: nothing was written to it; name another file as --log-file, \
             or an empty one",
            escaped_path(path)
        );
    }
    Ok(file)
}

/// Writes messages to standard error, above the progress bar, and to the log file.
#[derive(Debug)]
struct Tee {
    bars: Option<MultiProgress>,
    file: Option<File>,
    pending: Vec<u8>,
}

impl Tee {
    fn emit(&mut self) {
        let text = std::mem::take(&mut self.pending);
        let to_stderr = || io::stderr().write_all(&text);
        // A message that cannot be written must not end a run that takes days.
        drop(match &self.bars {
            Some(bars) => bars.suspend(to_stderr),
            None => to_stderr(),
        });
        if let Some(file) = &mut self.file {
            drop(file.write_all(&text));
        }
    }
}

/// The writer that env_logger owns.
#[derive(Clone, Debug)]
struct Shared(Arc<Mutex<Tee>>);

impl Write for Shared {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        if let Ok(mut tee) = self.0.lock() {
            tee.pending.extend_from_slice(buffer);
            if buffer.ends_with(b"\n") {
                tee.emit();
            }
        }
        Ok(buffer.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
