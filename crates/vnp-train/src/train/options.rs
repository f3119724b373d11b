//! What a training is asked for: method, data and settings.

use std::path::{Path, PathBuf};
use std::time::Duration;

use vnp_infer::Bundle;
use vnp_job::{OnBadFile, Start};

use crate::data::embedded::inputs::Reading;
use crate::data::preparation::Preparation;
use crate::error::Error;
use crate::head::recipe::HeadRecipe;
use crate::joint::recipe::JointRecipe;

/// The part of a model that is trained.
#[derive(Debug)]
pub enum Method<'a> {
    /// A head for the encoders of a bundle.
    Head(HeadTraining<'a>),
    /// Both encoders and the head.
    Encoders(JointTraining<'a>),
}

/// A head, and the encoders that it is trained for.
#[derive(Debug)]
pub struct HeadTraining<'a> {
    /// The bundle with the encoders.
    pub model: &'a Bundle,
    /// The settings of learning.
    pub recipe: HeadRecipe,
    /// What to learn from.
    pub data: Data,
    /// The device that embeds, by name.
    pub device: String,
    /// The precision in which it embeds.
    pub precision: String,
}

/// What a head learns from.
#[derive(Debug)]
pub enum Data {
    /// Records, to be cut into chunks and embedded.
    Records(Preparation),
    /// Existing embeddings.
    Embeddings(Reading),
}

/// Encoders and a head.
#[derive(Debug)]
pub struct JointTraining<'a> {
    /// The bundle whose encoders are trained further; `None` for small ones from scratch.
    pub origin: Option<&'a Bundle>,
    /// The settings of learning.
    pub recipe: JointRecipe,
    /// The records to learn from.
    pub records: Preparation,
}

/// Everything else that [`train`](crate::train()) is given.
#[derive(Debug)]
pub struct TrainOptions {
    /// Where bundle, metrics and checkpoints go.
    pub output_dir: PathBuf,
    /// New, resumed or started again.
    pub start: Start,
    /// What a damaged state means.
    pub on_bad_state: OnBadFile,
    /// The longest time between two saves of the state.
    pub checkpoint_interval: Duration,
    /// The name of the bundle.
    pub name: String,
    /// The bundle of the encoders as the user named it, for the record.
    pub model: String,
}

/// Embeds the chunks of a FASTA file by a run in a directory; see [`train`](crate::train()).
pub(super) type Embed<'a> = dyn Fn(&Path, &Path) -> Result<(), Error> + 'a;
