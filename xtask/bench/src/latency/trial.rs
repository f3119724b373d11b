//! One command that is interrupted, and the time that it took to answer.

use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};

/// Clock ticks per second in `/proc`, on every Linux.
const TICKS: u64 = 100;
/// A command that has not ended after this time is killed, and reported as it is.
const PATIENCE: Duration = Duration::from_secs(60);

/// What became of a command.
pub(crate) struct Trial {
    /// The time from the signal to the end, and the CPU time of all threads in it; none of a command that
    /// had ended before.
    pub(crate) answered: Option<(Duration, Duration)>,
    pub(crate) code: i32,
}

/// Starts a command, and sends it SIGTERM at a moment after its start.
pub(crate) fn interrupt(mut command: Command, moment: Duration) -> Result<Trial> {
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn()?;
    // As long as it is not waited for, its times can be read.
    sleep(moment);
    let before = Times::of(&child)?;
    if before.has_ended {
        let code = child.wait()?.code().unwrap_or(-1);
        return Ok(Trial { answered: None, code });
    }
    let sent = Instant::now();
    let status = Command::new("kill").arg("-TERM").arg(child.id().to_string()).status()?;
    ensure!(status.success(), "kill: {status}");
    let after = loop {
        let times = Times::of(&child)?;
        if times.has_ended {
            break times;
        }
        if sent.elapsed() > PATIENCE {
            child.kill()?;
        }
        sleep(Duration::from_millis(2));
    };
    let wall = sent.elapsed();
    let cpu = Duration::from_millis((after.ticks - before.ticks) * 1000 / TICKS);
    Ok(Trial { answered: Some((wall, cpu)), code: child.wait()?.code().unwrap_or(-1) })
}

/// The CPU time of a process.
struct Times {
    ticks: u64,
    has_ended: bool,
}

impl Times {
    fn of(child: &Child) -> Result<Self> {
        let path = PathBuf::from(format!("/proc/{}/stat", child.id()));
        let stat = fs_err::read_to_string(path)?;
        // The name in parentheses may hold anything.
        let (_, rest) = stat.rsplit_once(") ").context("/proc/PID/stat")?;
        let fields: Vec<&str> = rest.split(' ').collect();
        let field = |index: usize| fields.get(index).copied().context("/proc/PID/stat");
        let ticks = |index| Ok::<u64, anyhow::Error>(field(index)?.parse()?);
        Ok(Self { ticks: ticks(11)? + ticks(12)?, has_ended: field(0)? == "Z" })
    }
}
