use anyhow::Context;
use vnp_infer::{Bundle, DeviceSpec, Error, HeadFile, Model, ModelOptions, Precision};
use vnp_pipeline::ModelInfo;

use super::models;
use crate::args::PredictArgs;

/// The digest of an encoder that is not there.
const NO_ENCODER: &str = "none";

/// The model that `predict` is asked for.
pub(crate) enum ModelSource {
    /// Encoders and a head.
    Bundle(Box<Bundle>),
    /// A head for embeddings that an old run has left.
    Head { head: HeadFile, expected_length: u32, nucleotide_hidden: usize, protein_hidden: usize },
}

impl ModelSource {
    pub(crate) fn of(args: &PredictArgs) -> anyhow::Result<Self> {
        if args.model != "custom" {
            let bundle = models::find(&args.model)?;
            return Ok(Self::Bundle(Box::new(match &args.model_path {
                Some(head) => bundle.with_head_file(head)?,
                None => bundle,
            })));
        }
        let head = args.model_path.as_ref();
        let head = head.context("--model custom needs a head: --model-path FILE")?;
        // A head of one's own sits on the published encoders.
        let name = if args.expected_length == Some(300) { "300" } else { "500" };
        match (models::find(name), &args.resume_from) {
            (Ok(bundle), _) => Ok(Self::Bundle(Box::new(bundle.with_head_file(head)?))),
            (Err(error), Some(old)) if is_unknown(&error) => {
                log::warn!(
                    "no bundle {name} is installed: only embeddings in {} can be scored",
                    old.display()
                );
                let (nucleotide_hidden, protein_hidden) = vnp_pipeline::old_feature_widths(old)?;
                let expected_length = args.expected_length.unwrap_or(500);
                let head = HeadFile::open(head)?;
                Ok(Self::Head { head, expected_length, nucleotide_hidden, protein_hidden })
            }
            (Err(error), _) => {
                Err(error.context("--model custom takes its encoders from an installed bundle"))
            }
        }
    }

    /// Whether the model was trained for chunks of this length.
    pub(crate) fn is_for(&self, length: u32) -> bool {
        match self {
            Self::Bundle(bundle) => bundle.is_for(length),
            Self::Head { expected_length, .. } => *expected_length == length,
        }
    }

    /// The chunk length that the head was trained for, as far as is known.
    pub(crate) fn expected_length(&self) -> u32 {
        match self {
            Self::Bundle(bundle) => bundle.expected_length(),
            Self::Head { expected_length, .. } => *expected_length,
        }
    }

    pub(crate) fn info(&self, precision: Precision) -> ModelInfo {
        let precision = precision.to_string();
        match self {
            Self::Bundle(bundle) => {
                let digests = bundle.digests();
                ModelInfo {
                    name: bundle.name().to_owned(),
                    description: models::description(bundle).to_owned(),
                    held_out: bundle.provenance().get("test").cloned().unwrap_or_default(),
                    dnabert: digests.dnabert.clone(),
                    esm2: digests.esm2.clone(),
                    head: digests.head.clone(),
                    fallback: digests.fallback.clone(),
                    precision,
                    has_encoders: true,
                    nucleotide_hidden: bundle.nucleotide_hidden_size(),
                    protein_hidden: bundle.protein_hidden_size(),
                }
            }
            Self::Head { head, nucleotide_hidden, protein_hidden, .. } => ModelInfo {
                name: "custom".to_owned(),
                description: "a head on embeddings of an earlier run".to_owned(),
                held_out: serde_json::Value::Null,
                dnabert: NO_ENCODER.to_owned(),
                esm2: NO_ENCODER.to_owned(),
                head: head.digest().to_owned(),
                fallback: None,
                precision,
                has_encoders: false,
                nucleotide_hidden: *nucleotide_hidden,
                protein_hidden: *protein_hidden,
            },
        }
    }

    /// One model on each of the devices.
    pub(crate) fn load(
        &self,
        devices: &[DeviceSpec],
        options: &ModelOptions,
    ) -> Result<Vec<Model>, Error> {
        match self {
            Self::Bundle(bundle) => {
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
