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
    let (start, cpu_start) = (Instant::now(), cpu::seconds());
    let kept = run()?;
    let (wall, cpu_end) = (start.elapsed().as_secs_f64(), cpu::seconds());
    drop(kept);
    Ok(Time { wall, cpu: cpu_start.zip(cpu_end).map(|(start, end)| end - start) })
}

/// The processor time that this thread spent in a closure, or wall time where there is no such clock.
pub(crate) fn thread_seconds(run: impl FnOnce()) -> f64 {
    let (start, cpu_start) = (Instant::now(), cpu::thread_seconds());
    run();
    let (wall, cpu_end) = (start.elapsed().as_secs_f64(), cpu::thread_seconds());
    cpu_start.zip(cpu_end).map_or(wall, |(start, end)| end - start)
}

#[cfg(unix)]
mod cpu {
    use nix::time::{ClockId, clock_gettime};

    pub(super) fn seconds() -> Option<f64> {
        read(ClockId::CLOCK_PROCESS_CPUTIME_ID)
    }

    pub(super) fn thread_seconds() -> Option<f64> {
        read(ClockId::CLOCK_THREAD_CPUTIME_ID)
    }

    fn read(clock: ClockId) -> Option<f64> {
        let time = clock_gettime(clock).ok()?;
        Some(time.tv_sec() as f64 + time.tv_nsec() as f64 / 1e9)
    }
}

#[cfg(not(unix))]
mod cpu {
    pub(super) fn seconds() -> Option<f64> {
        None
    }

    pub(super) fn thread_seconds() -> Option<f64> {
        None
    }
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
