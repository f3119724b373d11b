//! What a run reports while it works.

use vnp_ckpt::RowRange;
use vnp_job::parts::Stage;

use crate::estimate::Estimate;
use crate::forecast::Progress;
use crate::resume::ResumeSummary;
use crate::survey::Survey;

/// What a run reports while it works, in order, on the thread that called
/// [`predict`](crate::predict). Libraries print nothing: a caller draws the progress bar, and returns
/// quickly.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Event<'a> {
    /// The input is being read for the first time; records and bases so far.
    Surveying {
        /// Records read.
        records: u64,
        /// Bases read.
        bases: u64,
    },
    /// The input was read once: what it holds is known.
    Surveyed(&'a Survey),
    /// What earlier sessions left and what is still to be computed.
    Planned(&'a ResumeSummary),
    /// The model is being loaded.
    LoadingModel,
    /// The model is ready on its devices.
    ModelReady {
        /// The devices, as parts record them.
        devices: &'a [String],
    },
    /// What there is to compute; comes before the first row is computed.
    Estimated(&'a Estimate),
    /// These rows of a stage were computed, and are not yet saved.
    Computed {
        /// The stage.
        stage: Stage,
        /// The rows.
        rows: RowRange,
    },
    /// How far the encoders are and how fast; comes after each [`Computed`](Self::Computed) of one.
    Progress(&'a Progress),
    /// A part with these rows is durable.
    Saved {
        /// The stage.
        stage: Stage,
        /// The rows.
        rows: RowRange,
    },
    /// Every row is scored; results are being written.
    Publishing,
}
