//! The result of a joint training.

use vnp_infer::{Dnabert, Esm2, ModelOptions, Tensors};

use crate::error::Error;
use crate::joint::setup::{DNABERT, ESM2, EncoderSetup, HEAD};
use crate::learn::epoch::Epoch;
use crate::learn::snapshot::Snapshot;

/// Trained encoders and head with their history.
#[derive(Debug, Clone)]
pub struct TrainedModel {
    /// All values by name: `dnabert.*`, `esm2.*`, `head.*`.
    pub weights: Snapshot,
    /// The epochs in order.
    pub history: Vec<Epoch>,
    /// The epoch that the weights come from, from 0.
    pub epoch: usize,
}

impl TrainedModel {
    /// The nucleotide and the protein encoder, ready to run.
    ///
    /// # Errors
    /// Those of loading.
    pub fn encoders(
        &self,
        setup: &EncoderSetup,
        options: &ModelOptions,
    ) -> Result<(Dnabert, Esm2), Error> {
        let dnabert = Dnabert::new(&setup.dnabert, self.dnabert(), &setup.tokenizer, options)?;
        Ok((dnabert, Esm2::new(&setup.esm2, self.esm2(), options)?))
    }

    /// The nucleotide encoder's tensors for a bundle, in f16.
    #[must_use]
    pub fn dnabert(&self) -> Tensors {
        self.weights.half_tensors(DNABERT)
    }

    /// The protein encoder's tensors for a bundle, in f16.
    #[must_use]
    pub fn esm2(&self) -> Tensors {
        self.weights.half_tensors(ESM2)
    }

    /// The head's tensors for a bundle, in f32.
    #[must_use]
    pub fn head(&self) -> Tensors {
        self.weights.tensors(HEAD)
    }
}
