//! A whole training: labelled data in, a measured bundle out.

mod context;
mod finished;
mod head;
mod joint;
mod options;

use std::path::Path;

use vnp_job::{JobDirectory, StopFlag};

use crate::error::Error;
use crate::event::Event;
use crate::job::JOB;
use crate::train::context::Context;
use crate::train::finished::publish;
use crate::train::options::Embed;

pub use finished::Published;
pub use options::{Data, HeadTraining, JointTraining, Method, TrainOptions};

/// Trains a head, or encoders and head, and publishes metrics, history, bundle and record in the
/// output directory.
///
/// Each step leaves files that a later session finds again: chunks in `prepared/`, runs in
/// `embeddings/`, the state of learning in `checkpoints/training.vnp`. A training that is stopped or
/// killed at any point and resumed publishes the same tensors as an undisturbed one.
///
/// `embed` is called with a FASTA file of prepared chunks and a directory: it makes the directory a
/// finished run that keeps its embeddings ([`vnp_job::parts::StoredEmbeddings`]), or continues one, and
/// fails with [`Error::Embedding`] or [`Error::Interrupted`]. A training on existing embeddings, or of
/// encoders, does not call it.
///
/// # Errors
/// Every [`Error`]; [`Error::Interrupted`] when a stop was requested. A training that fails before it
/// has saved anything leaves no output directory behind.
pub fn train(
    method: &Method<'_>,
    options: &TrainOptions,
    embed: &dyn Fn(&Path, &Path) -> Result<(), Error>,
    observer: &dyn Fn(Event<'_>),
    stop: &StopFlag,
) -> Result<Published, Error> {
    // Settings out of range must not cost an earlier training.
    match method {
        Method::Head(training) => training.recipe.check()?,
        Method::Encoders(training) => training.recipe.check()?,
    }
    let directory = JobDirectory::open(&options.output_dir, &JOB, options.start, Vec::new())?;
    let context = Context { directory: &directory, options, observer, stop };
    let result = run(method, embed, &context);
    let result = result.map_err(|error| error.or_vanished(&directory));
    if let Err(error) = &result
        && error.interrupted().is_none()
    {
        directory.roll_back();
    }
    result
}

fn run(method: &Method<'_>, embed: &Embed<'_>, context: &Context<'_>) -> Result<Published, Error> {
    let finished = match method {
        Method::Head(training) => head::run(training, embed, context)?,
        Method::Encoders(training) => joint::run(training, context)?,
    };
    publish(finished, context)
}
