//! The model that `vnp predict` uses: a bundle, or a head alone for embeddings of an earlier run.

use anyhow::Context;
use vnp_escape::escaped_path;
use vnp_infer::{Bundle, DeviceSpec, Error, HeadFile, Model, ModelOptions, Precision};
use vnp_pipeline::ModelInfo;

use super::bundles;
use crate::args::predict::PredictArgs;

/// The chunk length of `--model custom`, in bp, where none is given.
const CUSTOM_LENGTH: u32 = 500;

/// The requested model.
pub(crate) enum ModelSource {
    /// Encoders and a head.
    Bundle {
        bundle: Box<Bundle>,
        /// The head that replaced the bundle's, if it is another one.
        other_head: Option<Box<HeadFile>>,
    },
    /// A head alone, for the embeddings that an earlier run has left.
    Head {
        head: Box<HeadFile>,
        expected_length: u32,
        nucleotide_hidden: usize,
        protein_hidden: usize,
    },
}

impl ModelSource {
    /// Opens the files of the requested model.
    pub(crate) fn of(args: &PredictArgs) -> anyhow::Result<Self> {
        let head = args.model_path.as_deref().map(HeadFile::open).transpose()?;
        if args.model != "custom" {
            let bundle = bundles::find(&args.model)?;
            let Some(head) = head else {
                return Ok(Self::Bundle { bundle: Box::new(bundle), other_head: None });
            };
            // The published heads fit each other's encoders, and nothing else would notice.
            head.check_length(args.expected_length.unwrap_or(bundle.expected_length()))?;
            return Self::with_head(bundle, head);
        }
        let head = head.context("--model custom needs a head: --model-path FILE")?;
        head.check_length(args.expected_length.unwrap_or(CUSTOM_LENGTH))?;
        // The user's own head uses the published encoders.
        let name = if args.expected_length == Some(300) { "300" } else { "500" };
        match (bundles::find(name), &args.resume_from) {
            (Ok(bundle), _) => Self::with_head(bundle, head),
            (Err(error), Some(old)) if is_unknown(&error) => {
                log::warn!(
                    "model {name} is not installed: only the embeddings in {} can be scored",
                    escaped_path(old)
                );
                let (nucleotide_hidden, protein_hidden) = vnp_pipeline::old_feature_widths(old)?;
                let expected_length = args.expected_length.unwrap_or(CUSTOM_LENGTH);
                let head = Box::new(head);
                Ok(Self::Head { head, expected_length, nucleotide_hidden, protein_hidden })
            }
            (Err(error), _) => {
                Err(error.context("--model custom needs the encoders of an installed model"))
            }
        }
    }

    /// A bundle with another head.
    fn with_head(bundle: Bundle, head: HeadFile) -> anyhow::Result<Self> {
        let is_other = bundle.digests().head != head.digest();
        let bundle = Box::new(bundle.with_head(&head)?);
        Ok(Self::Bundle { bundle, other_head: is_other.then(|| Box::new(head)) })
    }

    /// The chunk length of a run that is given none, in bp.
    pub(crate) fn default_length(&self) -> u32 {
        match self {
            Self::Bundle { bundle, .. } => bundle.expected_length(),
            Self::Head { expected_length, .. } => *expected_length,
        }
    }

    /// What a reader of scores for chunks of this length, in bp, should know about them.
    pub(crate) fn warning(&self, length: u32) -> Option<String> {
        match self {
            Self::Bundle { bundle, other_head: None } => (!bundle.is_for(length)).then(|| {
                format!(
                    "the model was trained on chunks of {} bp: its scores of {length} bp may be unreliable",
                    bundle.expected_length()
                )
            }),
            Self::Bundle { other_head: Some(head), .. } | Self::Head { head, .. } => {
                // A published one of another length was refused.
                head.published().is_none().then(|| {
                    format!(
                        "the chunk length that the head of --model-path was trained on is not known: \
                         the run uses {length} bp"
                    )
                })
            }
        }
    }

    /// What a run needs to know about the model before it is loaded.
    pub(crate) fn info(&self, precision: Precision) -> ModelInfo {
        match self {
            Self::Bundle { bundle, .. } => ModelInfo::of(bundle, precision),
            Self::Head { head, nucleotide_hidden, protein_hidden, .. } => {
                ModelInfo::of_head(head, precision, *nucleotide_hidden, *protein_hidden)
            }
        }
    }

    /// Loads one model onto each of the devices.
    pub(crate) fn load(
        &self,
        devices: &[DeviceSpec],
        options: &ModelOptions,
    ) -> Result<Vec<Model>, Error> {
        match self {
            Self::Bundle { bundle, .. } => {
                let mut models = Vec::new();
                for &device in devices {
                    let options = ModelOptions { device, ..options.clone() };
                    models.extend(Model::load_all(bundle, &options)?);
                }
                Ok(models)
            }
            Self::Head { head, nucleotide_hidden, protein_hidden, .. } => {
                Ok(vec![Model::head_only(head, *nucleotide_hidden, *protein_hidden)?])
            }
        }
    }
}

fn is_unknown(error: &anyhow::Error) -> bool {
    matches!(error.downcast_ref(), Some(Error::UnknownBundle { .. }))
}
