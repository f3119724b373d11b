//! Disturbs whole runs of a `vnp` many times: `disturb VNP [KILLS [TWICE [ERRORS [LOSSES [SEED]]]]]`.

use std::io::{self, Write};
use std::path::Path;
use std::process::ExitCode;

use vnp_faults::{WholeRun, skip_reason};

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    match disturb(&words) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            drop(writeln!(io::stderr(), "{error}"));
            ExitCode::FAILURE
        }
    }
}

fn disturb(words: &[String]) -> Result<(), Box<dyn std::error::Error>> {
    let [vnp, numbers @ ..] = words else {
        return Err("disturb VNP [KILLS [TWICE [ERRORS [LOSSES [SEED]]]]]".into());
    };
    if let Some(reason) = skip_reason() {
        writeln!(io::stdout(), "skipped: {reason}")?;
        return Ok(());
    }
    let mut settings = [200_usize, 20, 200, 200, 1];
    for (setting, word) in settings.iter_mut().zip(numbers) {
        *setting = word.parse().map_err(|error| format!("{word}: {error}"))?;
    }
    let [kills, twice, errors, losses, seed] = settings;
    let mut run = WholeRun::new(Path::new(vnp), seed as u64)?;
    run.kill_many(kills, twice)?;
    run.fail_many(errors)?;
    if losses > 0 {
        run.lose_power(losses)?;
        writeln!(io::stdout(), "control: {}", run.lose_power_of_a_liar(losses)?)?;
    }
    writeln!(io::stdout(), "{}", run.counts)?;
    Ok(())
}
