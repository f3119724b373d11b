//! The `vnp` command: arguments, output, progress and exit codes over the library crates.

mod args;
mod command;
mod exit;
mod logging;
mod output;
mod paths;
mod progress;
mod signals;
mod usage;

use clap::Parser;
use clap::error::ErrorKind;

use crate::args::Args;
use crate::exit::Exit;

fn main() -> std::process::ExitCode {
    signals::survive();
    std::panic::set_hook(Box::new(report_defect));
    let args = match Args::try_parse() {
        Ok(args) => args,
        Err(error) => {
            // clap's own exit code 2 means "partial" here: usage errors are 1.
            // A closed pipe is not a failure, and there is no other place to report it to.
            let error = usage::escaped(error);
            drop(error.print());
            let asked = matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion);
            return if asked { Exit::Done } else { Exit::Failed }.into();
        }
    };
    run(args).into()
}

/// Reports a panic, a defect of this program, whose message may quote a file as every other may.
fn report_defect(panic: &std::panic::PanicHookInfo<'_>) {
    output::print_error(&panic.to_string());
    let trace = std::backtrace::Backtrace::capture();
    if trace.status() == std::backtrace::BacktraceStatus::Captured {
        trace.to_string().lines().for_each(output::print_error);
    }
}

fn run(args: Args) -> Exit {
    let files = command::files(&args.command, &args.global);
    let log = files.check().and_then(|()| logging::open(&args.global, &files));
    // What is refused here is reported as every other error, and not in a file.
    let (log, refused) = match log {
        Ok(log) => (log, None),
        Err(error) => (None, Some(error)),
    };
    let console = match logging::start(&args.global, log) {
        Ok(console) => console,
        Err(error) => {
            output::print_error(&format!("{error:#}"));
            return Exit::Failed;
        }
    };
    if let Some(error) = refused {
        log::error!("{error:#}");
        return Exit::Failed;
    }
    let ended = signals::listen(command::leaves(&args.command))
        .and_then(|stop| command::run(args.command, &console, &stop));
    signals::ended();
    match ended {
        Ok(exit) => exit,
        Err(error) => {
            let exit = exit::of_error(&error);
            let level = match exit {
                Exit::Interrupted(_) => log::Level::Warn,
                _ => log::Level::Error,
            };
            // The message of an error does not repeat that of its source.
            log::log!(level, "{error:#}");
            exit
        }
    }
}
