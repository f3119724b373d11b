//! Wall time and processor time of a closure.

use std::time::Instant;

use anyhow::Result;

/// Wall time, and the processor time of all threads in seconds; the latter where the system has such a clock.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Time {
    pub(crate) wall: f64,
    pub(crate) cpu: Option<f64>,
}

/// Times a closure. Its result is dropped after the clock is read.
pub(crate) fn timed<T>(run: impl FnOnce() -> Result<T>) -> Result<Time> {
    let (time, result) = measured(false, run);
    result.map(|_| time)
}

/// The processor time that this thread spent in a closure, or wall time where there is no such clock.
pub(crate) fn thread_seconds(run: impl FnOnce()) -> f64 {
    let (time, ()) = measured(true, run);
    time.cpu.unwrap_or(time.wall)
}

fn measured<T>(of_thread: bool, run: impl FnOnce() -> T) -> (Time, T) {
    let (start, cpu_start) = (Instant::now(), cpu_seconds(of_thread));
    let result = run();
    let (wall, cpu_end) = (start.elapsed().as_secs_f64(), cpu_seconds(of_thread));
    (Time { wall, cpu: cpu_start.zip(cpu_end).map(|(start, end)| end - start) }, result)
}

/// The processor time so far of this thread, or of the whole process.
#[cfg(unix)]
fn cpu_seconds(of_thread: bool) -> Option<f64> {
    use nix::time::{ClockId, clock_gettime};
    let (thread, process) = (ClockId::CLOCK_THREAD_CPUTIME_ID, ClockId::CLOCK_PROCESS_CPUTIME_ID);
    let time = clock_gettime(if of_thread { thread } else { process }).ok()?;
    Some(time.tv_sec() as f64 + time.tv_nsec() as f64 / 1e9)
}

#[cfg(not(unix))]
fn cpu_seconds(_of_thread: bool) -> Option<f64> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_threads_do_not_count() {
        let busy = || (0..3_000_000_u64).map(std::hint::black_box).sum::<u64>();
        let own = thread_seconds(|| drop(std::thread::spawn(busy).join()));
        let all = timed(|| Ok(busy())).unwrap();
        assert!(cfg!(not(unix)) || own < all.cpu.unwrap(), "{own} {all:?}");
    }

    #[test]
    fn waiting_takes_no_processor() {
        let pause = std::time::Duration::from_millis(20);
        let sleep = || {
            std::thread::sleep(pause);
            Ok(())
        };
        let time = timed(sleep).unwrap();
        assert!(time.wall >= 0.02, "{time:?}");
        assert_eq!(time.cpu.is_some(), cfg!(unix));
    }
}
