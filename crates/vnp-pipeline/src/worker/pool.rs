//! The threads of a run: one worker per device, and one thread that reads ahead.

use std::io;
use std::sync::mpsc::{Sender, channel, sync_channel};
use std::sync::{Arc, Mutex};
use std::thread::{Builder, Scope, ScopedJoinHandle, scope};
use std::time::Duration;

use vnp_ckpt::RowRange;
use vnp_infer::Model;
use vnp_job::StopFlag;
use vnp_job::parts::{Identity, Provenance};
use vnp_seq::FrameReader;

use super::cancellation::{Cancellation, Ended};
use super::handle::{Request, SessionHandle};
use super::prefetcher::{Job, Prefetcher, Queue};
use super::session::Session;
use super::window::{Computable, Settings, work};
use crate::error::Error;

/// Workers, each on a thread of its own: one for each model, and one that reads ahead.
///
/// Windows are handed out one at a time to the worker that asks next, so that a slow device does not
/// hold up a fast one. For each model there are at most two windows in memory: the one at work and
/// the one after it.
pub(crate) struct WorkerPool<'a> {
    /// One for each device; not empty.
    pub(crate) models: &'a [Model],
    pub(crate) identity: &'a Identity,
    /// Time between the saved parts of a worker.
    pub(crate) checkpoint_interval: Duration,
    pub(crate) settings: Settings,
    pub(crate) stop: &'a StopFlag,
}

impl WorkerPool<'_> {
    /// Computes `windows` (ascending, disjoint) of one track from the rows of `reader`.
    ///
    /// The calling thread keeps the session: it saves and reports what the workers ask for. When a
    /// worker fails, the others save what they have, and the first failure is returned. When a stop
    /// was requested, all save what they have, and the error is [`Error::Interrupted`].
    pub(crate) fn compute<R: Computable>(
        &self,
        session: &mut Session<'_>,
        windows: &[RowRange],
        reader: FrameReader,
    ) -> Result<(), Error> {
        let cancellation = &Cancellation::new(self.stop);
        scope(|scope| {
            // The reader holds one more window.
            let (jobs, queue) = sync_channel::<Job<R>>(self.models.len().saturating_sub(1));
            let (requests, inbox) = channel::<Request>();
            let (failures, failed) = channel();
            // Held by the workers alone: when they have ended, the reader cannot send any more.
            let queue = Arc::new(Queue(Mutex::new(queue)));
            let mut workers = Vec::new();
            for model in self.models {
                let handle = self.handle(model, requests.clone(), cancellation, session);
                let (queue, failures) = (Arc::clone(&queue), failures.clone());
                let name = format!("vnp {}", model.device_name());
                workers.push(spawn(scope, name, move || {
                    let mut worker = R::worker(model, self.settings);
                    if let Err(Ended::Failed(error)) = work(worker.as_mut(), handle, &queue) {
                        cancellation.worker_failed();
                        drop(failures.send(error));
                    }
                })?);
            }
            let prefetcher = Prefetcher { reader, windows, cancellation };
            let prefetcher = spawn(scope, "vnp reader".to_owned(), move || prefetcher.run(&jobs))?;
            drop((queue, requests, failures));
            // Until the last worker has ended.
            for request in inbox {
                request(session);
            }
            workers.into_iter().for_each(joined);
            let prefetched = joined(prefetcher);
            let mut failed = failed.into_iter();
            if let Some(first) = failed.next() {
                failed.for_each(|error| log::warn!("another device failed too: {error:#}"));
                return Err(first);
            }
            prefetched?;
            Ok(self.stop.check()?)
        })
    }

    fn handle<'h>(
        &self,
        model: &Model,
        requests: Sender<Request>,
        cancellation: &'h Cancellation<'h>,
        session: &Session<'_>,
    ) -> SessionHandle<'h> {
        let provenance = Provenance {
            identity: self.identity.clone(),
            device: model.device_name().to_owned(),
            keep_embeddings: session.keep_embeddings,
        };
        SessionHandle::new(requests, cancellation, provenance, self.checkpoint_interval)
    }
}

fn spawn<'scope, T: Send + 'scope>(
    scope: &'scope Scope<'scope, '_>,
    name: String,
    work: impl FnOnce() -> T + Send + 'scope,
) -> io::Result<ScopedJoinHandle<'scope, T>> {
    Builder::new().name(name).spawn_scoped(scope, work)
}

/// What a thread returned; its panic continues on this one.
fn joined<T>(thread: ScopedJoinHandle<'_, T>) -> T {
    thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}
