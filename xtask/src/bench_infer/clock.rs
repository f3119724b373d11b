//! How long something took.

use std::time::Instant;

use anyhow::Result;

/// Wall time, and the processor time of all threads where the system tells it, in seconds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Time {
    pub(crate) wall: f64,
    pub(crate) cpu: Option<f64>,
}

/// Runs something; what it gives is dropped after the clock stopped.
pub(crate) fn timed<T>(run: impl FnOnce() -> Result<T>) -> Result<Time> {
    let (start, cpu_start) = (Instant::now(), cpu_seconds());
    let kept = run()?;
    let (wall, cpu_end) = (start.elapsed().as_secs_f64(), cpu_seconds());
    drop(kept);
    Ok(Time { wall, cpu: cpu_start.zip(cpu_end).map(|(start, end)| end - start) })
}

#[cfg(unix)]
fn cpu_seconds() -> Option<f64> {
    use rustix::time::{ClockId, clock_gettime};
    let time = clock_gettime(ClockId::ProcessCPUTime);
    Some(time.tv_sec as f64 + time.tv_nsec as f64 / 1e9)
}

#[cfg(not(unix))]
fn cpu_seconds() -> Option<f64> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waiting_takes_no_processor() {
        let pause = std::time::Duration::from_millis(20);
        let time = timed(|| Ok(std::thread::sleep(pause))).unwrap();
        assert!(time.wall >= 0.02, "{time:?}");
        assert_eq!(time.cpu.is_some(), cfg!(unix));
    }
}
