//! A thread that shows that its process is at work.

use std::io;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::{Builder, JoinHandle};
use std::time::Duration;

/// Repeats something until it is dropped, or until that says no.
#[derive(Debug)]
pub(super) struct Heartbeat {
    /// Both present until it ends.
    end: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Heartbeat {
    /// Calls `beat` after every interval for as long as it returns true.
    pub(super) fn start(
        every: Duration,
        mut beat: impl FnMut() -> bool + Send + 'static,
    ) -> io::Result<Self> {
        let (end, ended) = channel();
        let repeat = move || {
            while ended.recv_timeout(every) == Err(RecvTimeoutError::Timeout) && beat() {}
        };
        let thread = Builder::new().name("lock".to_owned()).spawn(repeat)?;
        Ok(Self { end: Some(end), thread: Some(thread) })
    }

    /// Ends it, and waits for a beat that is under way.
    pub(super) fn end(&mut self) {
        drop(self.end.take());
        if let Some(thread) = self.thread.take() {
            // A beat does not panic; if it did, it has ended too.
            drop(thread.join());
        }
    }
}

impl Drop for Heartbeat {
    fn drop(&mut self) {
        self.end();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[test]
    fn it_ends_when_dropped_or_told_to() {
        let beats = Arc::new(AtomicUsize::new(0));
        let start = |most: usize| {
            let beats = Arc::clone(&beats);
            let beat = move || beats.fetch_add(1, Ordering::SeqCst) + 1 < most;
            Heartbeat::start(Duration::from_millis(1), beat).unwrap()
        };
        let beating = start(usize::MAX);
        while beats.load(Ordering::SeqCst) < 3 {
            std::thread::sleep(Duration::from_millis(1));
        }
        drop(beating);
        let counted = beats.swap(0, Ordering::SeqCst);
        assert!(counted >= 3);
        let mut beating = start(2);
        beating.thread.take().unwrap().join().unwrap();
        assert_eq!(beats.load(Ordering::SeqCst), 2);
    }
}
