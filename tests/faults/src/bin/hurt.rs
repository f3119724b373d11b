//! Kills a command before one of its system calls, or lists them:
//! `hurt NTH DIRECTORY COMMAND...`, with 0 for a list.
//!
//! Calls are counted from when the command has printed `saving`. Its output is printed again. Exits
//! with 3 if it ended before that call.

use std::io::{self, Write};
use std::path::Path;
use std::process::{Command, ExitCode};

use vnp_faults::{Calls, Fault, Harm, Tracer};

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    match hurt(&words) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(3),
        Err(error) => {
            drop(writeln!(io::stderr(), "{error}"));
            ExitCode::FAILURE
        }
    }
}

fn hurt(words: &[String]) -> Result<bool, Box<dyn std::error::Error>> {
    let [nth, directory, program, arguments @ ..] = words else {
        return Err("hurt NTH DIRECTORY COMMAND...".into());
    };
    let nth = nth.parse()?;
    let mut tracer = Tracer::new(Path::new(directory)).after("saving");
    if nth > 0 {
        tracer = tracer.fault(Fault { calls: Calls::Any, nth, harm: Harm::Kill });
    }
    let mut command = Command::new(program);
    let trace = tracer.run(command.args(arguments))?;
    let mut out = io::stdout().lock();
    if nth == 0 {
        for call in &trace.calls {
            writeln!(out, "{}", call.name)?;
        }
        return Ok(true);
    }
    write!(out, "{}", trace.stdout)?;
    Ok(trace.hurt.is_some())
}
