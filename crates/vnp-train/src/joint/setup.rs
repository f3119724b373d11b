//! The encoders that a joint training begins with.

use vnp_infer::{Bundle, DnabertConfig, Esm2Config};

use crate::error::Error;
use crate::joint::recipe::JointRecipe;
use crate::joint::tokenizer::six_mer_tokenizer;
use crate::learn::snapshot::Snapshot;

/// The prefix of the nucleotide encoder's parameter names.
pub(super) const DNABERT: &str = "dnabert.";
/// The prefix of the protein encoder's parameter names.
pub(super) const ESM2: &str = "esm2.";
/// The prefix of the head's parameter names.
pub(super) const HEAD: &str = "head.";

/// The largest encoders that are trained here: every step keeps all that its gradient needs, and the
/// arithmetic is on a CPU.
const MOST_PARAMETERS: usize = 50_000_000;

/// The encoders to train: configuration, tokenizer and initial values.
#[derive(Debug, Clone)]
pub struct EncoderSetup {
    /// The configuration of the nucleotide encoder.
    pub dnabert: DnabertConfig,
    /// The `tokenizer.json` of the nucleotide encoder.
    pub tokenizer: Vec<u8>,
    /// The configuration of the protein encoder.
    pub esm2: Esm2Config,
    /// The initial values, named `dnabert.` or `esm2.` and the name in a bundle;
    /// random ones where absent.
    pub initial: Option<Snapshot>,
}

impl EncoderSetup {
    /// Encoders of a recipe's sizes with random values.
    #[must_use]
    pub fn random(recipe: &JointRecipe) -> Self {
        let (tokenizer, tokens) = six_mer_tokenizer();
        Self {
            dnabert: recipe.dnabert_config(tokens),
            tokenizer: tokenizer.into_bytes(),
            esm2: recipe.esm2_config(),
            initial: None,
        }
    }

    /// The encoders of a bundle, to be fine-tuned.
    ///
    /// # Errors
    /// [`Error::TooManyParameters`]; [`Error::Model`] where the bundle can no longer be read.
    pub fn of_bundle(bundle: &Bundle) -> Result<Self, Error> {
        let (dnabert, esm2) = (bundle.dnabert_config().clone(), bundle.esm2_config().clone());
        let sizes = dnabert.tensors().chain(esm2.tensors()).map(|spec| spec.shape);
        let found: usize = sizes.map(|shape| shape.iter().product::<usize>()).sum();
        if found > MOST_PARAMETERS {
            return Err(Error::TooManyParameters { found, most: MOST_PARAMETERS });
        }
        let mut initial = Snapshot::default();
        for (prefix, values) in [(DNABERT, bundle.dnabert_values()?), (ESM2, bundle.esm2_values()?)]
        {
            for (spec, values) in values {
                initial.insert(&format!("{prefix}{}", spec.name), &spec.shape, values);
            }
        }
        let tokenizer = bundle.tokenizer().to_owned();
        Ok(Self { dnabert, tokenizer, esm2, initial: Some(initial) })
    }
}
