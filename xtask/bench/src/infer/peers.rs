//! Other engines, in Python: a driver of our own, or scripts of somebody else.

mod driver;
mod engines;
mod job;
mod scripts;

use anyhow::Result;

use super::engine::Engine;
use super::work::Work;

pub(crate) use engines::Peers;
pub(crate) use job::Job;

/// The wanted engines, ready to run.
pub(crate) fn start<'a>(
    job: &'a Job<'_>,
    work: &Work,
    wanted: &[Engine],
) -> Result<Box<dyn Peers + 'a>> {
    Ok(match job.scripts {
        Some(dir) => {
            let dir = std::path::absolute(dir)?;
            Box::new(scripts::Scripts::new(job, dir, work, wanted))
        }
        None => Box::new(driver::Driver::start(job, work, wanted)?),
    })
}
