//! How soon `vnp` answers a signal: it is interrupted at random moments of every long command, with the CPU
//! time until its end, what it leaves, and whether it can be continued.

pub(crate) mod files;
mod scenario;
mod trial;

use std::collections::BTreeMap;
use std::io::{self, Write as _};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use clap::Args;

use crate::draw::Draw;
use crate::place::Place;
use files::Files;
use scenario::Scenario;
use trial::{Trial, interrupt};

/// An answer within this time is in time.
const LIMIT: Duration = Duration::from_secs(10);

/// Sends SIGTERM at random moments to predict, import, train, embed and validate-checkpoints.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Directory to write in; about 6 GB with the larger models
    #[arg(long)]
    dir: PathBuf,
    /// The program [default: the vnp next to this program]
    #[arg(long, value_name = "FILE")]
    vnp: Option<PathBuf>,
    /// Moments of each command
    #[arg(long, value_name = "N", default_value = "50", value_parser = clap::value_parser!(u32).range(1..))]
    moments: u32,
    /// The moments are a function of this
    #[arg(long, value_name = "N", default_value = "1")]
    seed: u64,
    /// Commands to interrupt
    #[arg(long, value_name = "LIST", value_delimiter = ',', value_enum)]
    #[arg(default_value = "predict-mini,predict-t33,import-t33,train,embed,validate-checkpoints")]
    only: Vec<Scenario>,
    /// Interrupted jobs of each command that are continued and compared
    #[arg(long, value_name = "N", default_value = "3")]
    resumes: u32,
    /// The longest time after the start at which a command is interrupted, in seconds
    #[arg(long, value_name = "T", default_value = "40")]
    within: u64,
}

/// Interrupts each command, and fails if one answered too late or left something.
pub(crate) fn run(options: &Options) -> Result<()> {
    fs_err::create_dir_all(&options.dir)?;
    let vnp = match &options.vnp {
        Some(vnp) => vnp.clone(),
        None => std::env::current_exe()?.with_file_name("vnp"),
    };
    let vnp = vnp.canonicalize().with_context(|| vnp.display().to_string())?;
    let dir = tempfile::Builder::new().prefix("latency").tempdir_in(&options.dir)?;
    let place = Place { vnp, dir: dir.path().canonicalize()? };
    let files = Files { place: &place };
    files.write(&options.only)?;
    writeln!(
        io::stdout(),
        "{:<22}{:>10}{:>9}{:>7}{:>10}{:>10}{:>10}{:>9}  exit codes",
        "command",
        "whole, s",
        "moments",
        "ended",
        "wall, s",
        "CPU, s",
        "leftovers",
        "resumed"
    )?;
    let mut all_good = true;
    for &scenario in &options.only {
        all_good &= measure(&place, scenario, options)?;
    }
    ensure!(
        all_good,
        "an answer came after {} s, or something was left or differs",
        LIMIT.as_secs()
    );
    Ok(())
}

/// Interrupts one command at its moments; returns whether every answer was a good one.
fn measure(place: &Place, scenario: Scenario, options: &Options) -> Result<bool> {
    place.clear()?;
    let began = Instant::now();
    let whole = place.command(&scenario.words(false)).output()?;
    ensure!(whole.status.success(), "{scenario:?}: {}", String::from_utf8_lossy(&whole.stderr));
    let (whole, expected) = (began.elapsed(), results(place, scenario)?);
    let mut draw = Draw::new(&format!("{scenario:?} {}", options.seed));
    let within = whole.min(Duration::from_secs(options.within));
    let (mut wall, mut cpu) = (Duration::ZERO, Duration::ZERO);
    let (mut ended, mut leftovers, mut resumed, mut differing) = (0, 0, 0, 0);
    let mut codes: BTreeMap<i32, u32> = BTreeMap::new();
    for _ in 0..options.moments {
        place.clear()?;
        let moment = within.mul_f32(draw.fraction());
        let Trial { answered, code } = interrupt(place.command(&scenario.words(false)), moment)?;
        *codes.entry(code).or_default() += 1;
        match answered {
            Some((w, c)) => (wall, cpu) = (wall.max(w), cpu.max(c)),
            None => ended += 1,
        }
        leftovers += place.leftovers()?;
        if scenario.is_job() && code == 143 && resumed < options.resumes {
            resumed += 1;
            let again = place.command(&scenario.words(true)).output()?;
            if !again.status.success() || results(place, scenario)? != expected {
                differing += 1;
            }
        }
    }
    place.clear()?;
    let codes_are_good = codes.keys().all(|code| [0, 143].contains(code));
    let codes: Vec<String> = codes.iter().map(|(code, times)| format!("{code} x{times}")).collect();
    writeln!(
        io::stdout(),
        "{:<22}{:>10.1}{:>9}{:>7}{:>10.2}{:>10.2}{:>10}{:>9}  {}",
        scenario.name(),
        whole.as_secs_f32(),
        options.moments,
        ended,
        wall.as_secs_f32(),
        cpu.as_secs_f32(),
        leftovers,
        format!("{}/{resumed}", resumed - differing),
        codes.join(", ")
    )?;
    Ok(leftovers == 0 && differing == 0 && codes_are_good && wall.max(cpu) <= LIMIT)
}

/// The bytes of the results that do not hold times.
fn results(place: &Place, scenario: Scenario) -> Result<Vec<Vec<u8>>> {
    let names = scenario.results().iter();
    names.map(|name| Ok(fs_err::read(place.path("out").join(name))?)).collect()
}
