use std::io;
use std::sync::mpsc::{Receiver, channel, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{Builder, Scope, ScopedJoinHandle, scope};
use std::time::Duration;

use vnp_ckpt::RowRange;
use vnp_infer::Model;
use vnp_seq::FrameReader;

use super::feed::{Feed, Job};
use super::halt::Halt;
use super::link::{Link, Request};
use super::{Computable, Flow, Session, work};
use crate::error::Error;
use crate::identity::Identity;
use crate::part::Provenance;
use crate::stop::StopFlag;

/// Those who compute, each on a thread of its own: one for each model, and one that reads ahead.
///
/// Windows are handed out one at a time to whoever asks next, so that a slow device does not hold
/// up a fast one. For each model there are at most two windows in memory: the one at work and the
/// one after it.
pub(crate) struct Team<'a> {
    /// One for each device; not empty.
    pub(crate) models: &'a [Model],
    pub(crate) identity: &'a Identity,
    /// Time between the saved parts of a worker.
    pub(crate) checkpoint_interval: Duration,
    /// Rows that the head scores at once.
    pub(crate) score_batch_rows: usize,
    pub(crate) stop: &'a StopFlag,
}

/// The windows that wait for a worker.
pub(super) struct Queue<R>(Mutex<Receiver<Job<R>>>);

impl<R> Queue<R> {
    /// The next window; nothing when there are no more.
    pub(super) fn next(&self) -> Option<Job<R>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).recv().ok()
    }
}

impl Team<'_> {
    /// Computes `windows` (ascending, disjoint) of one track from the rows of `reader`.
    ///
    /// The calling thread keeps the session: it saves and tells what the workers ask for. When one
    /// of them fails, the others save what they have, and the first failure is returned.
    pub(crate) fn compute<R: Computable>(
        &self,
        session: &mut Session<'_>,
        windows: &[RowRange],
        reader: FrameReader,
    ) -> Result<Flow, Error> {
        let halt = Halt::new(self.stop);
        let halt = &halt;
        scope(|scope| {
            // The reader holds one more window in its hands.
            let (jobs, queue) = sync_channel::<Job<R>>(self.models.len().saturating_sub(1));
            let (requests, inbox) = channel::<Request>();
            let (failures, failed) = channel();
            // Held by the workers alone: when they have ended, the reader finds nobody to feed.
            let queue = Arc::new(Queue(Mutex::new(queue)));
            let mut workers = Vec::new();
            for model in self.models {
                let (link, queue) =
                    (self.link(model, requests.clone(), halt, session), Arc::clone(&queue));
                let failures = failures.clone();
                let name = format!("vnp {}", model.device_name());
                workers.push(spawn(scope, name, move || {
                    let mut worker = R::worker(model, self.score_batch_rows);
                    work(worker.as_mut(), link, &queue).unwrap_or_else(|error| {
                        halt.failed();
                        drop(failures.send(error));
                        Flow::Stopped
                    })
                })?);
            }
            let feed = Feed { reader, windows, halt };
            let feed = spawn(scope, "vnp reader".to_owned(), move || feed.run(&jobs))?;
            drop((queue, requests, failures));
            // Until the last worker has ended.
            for request in inbox {
                request(session);
            }
            let mut flow = Flow::Done;
            for worker in workers {
                flow = flow.and(joined(worker));
            }
            let fed = joined(feed);
            let mut failed = failed.into_iter();
            if let Some(first) = failed.next() {
                failed.for_each(|error| log::warn!("another device failed too: {error:#}"));
                return Err(first);
            }
            Ok(flow.and(fed?))
        })
    }

    fn link<'h>(
        &self,
        model: &Model,
        requests: std::sync::mpsc::Sender<Request>,
        halt: &'h Halt<'h>,
        session: &Session<'_>,
    ) -> Link<'h> {
        let provenance = Provenance {
            identity: self.identity.clone(),
            device: model.device_name().to_owned(),
            keep_embeddings: session.keep_embeddings,
        };
        Link::new(requests, halt, provenance, self.checkpoint_interval)
    }
}

fn spawn<'scope, T: Send + 'scope>(
    scope: &'scope Scope<'scope, '_>,
    name: String,
    work: impl FnOnce() -> T + Send + 'scope,
) -> io::Result<ScopedJoinHandle<'scope, T>> {
    Builder::new().name(name).spawn_scoped(scope, work)
}

/// What a thread returned; its panic goes on here.
fn joined<T>(thread: ScopedJoinHandle<'_, T>) -> T {
    thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}
