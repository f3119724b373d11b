//! Disturbs whole runs of a `vnp` many times: `disturb VNP [KILLS [TWICE [ERRORS [LOSSES [SEED]]]]]`.

use std::io::{self, Write};
use std::path::Path;
use std::process::ExitCode;

use vnp_faults::{Error, WholeRun, skip_reason};

fn main() -> ExitCode {
    let mut words = std::env::args().skip(1);
    let Some(vnp) = words.next() else {
        drop(writeln!(io::stderr(), "disturb VNP [KILLS [TWICE [ERRORS [LOSSES [SEED]]]]]"));
        return ExitCode::FAILURE;
    };
    if let Some(reason) = skip_reason() {
        drop(writeln!(io::stdout(), "skipped: {reason}"));
        return ExitCode::SUCCESS;
    }
    let mut numbers = [200, 20, 200, 200, 1];
    for (number, word) in numbers.iter_mut().zip(words) {
        match word.parse() {
            Ok(parsed) => *number = parsed,
            Err(error) => {
                drop(writeln!(io::stderr(), "{word}: {error}"));
                return ExitCode::FAILURE;
            }
        }
    }
    match disturb(Path::new(&vnp), numbers) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            drop(writeln!(io::stderr(), "{error}"));
            ExitCode::FAILURE
        }
    }
}

fn disturb(vnp: &Path, [kills, twice, errors, losses, seed]: [usize; 5]) -> Result<(), Error> {
    let mut run = WholeRun::new(vnp, seed as u64)?;
    run.kill_many(kills, twice)?;
    run.fail_many(errors)?;
    if losses > 0 {
        run.lose_power(losses)?;
        writeln!(io::stdout(), "control: {}", run.lose_power_of_a_liar(losses)?)?;
    }
    writeln!(io::stdout(), "{}", run.counts)?;
    Ok(())
}
