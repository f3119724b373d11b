//! The files of one encoder, opened and digested before its tensors are loaded onto a device.

use std::path::Path;

use crate::architecture::NetworkSource;
use crate::architecture::dnabert::DnabertConfig;
use crate::architecture::esm2::Esm2Config;
use crate::bundle::Bundle;
use crate::bundle::distribution::{read_dnabert, read_esm2};
use crate::bundle::manifest::network_digest;
use crate::bundle::parts::TokenizerFile;
use crate::device::device_name;
use crate::encoder::transformer::{Dnabert, Esm2};
use crate::encoder::{Encoder, ModelOptions};
use crate::error::Error;
use crate::weights::write::digest;

/// One encoder, of a bundle or of its own files, whose tensors are not loaded yet.
///
/// ```
/// use vnp_infer::{Bundle, EncoderFiles, ModelOptions};
///
/// let bundle = Bundle::embedded()?;
/// let files = EncoderFiles::esm2_of(&bundle);
/// assert_eq!(files.digest()?, bundle.digests().esm2);
/// let (encoder, _device) = files.load(&ModelOptions::default())?;
/// assert_eq!(encoder.embed(&["MKV"])?.len(), files.hidden_size());
/// # Ok::<(), vnp_infer::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct EncoderFiles {
    network: Network,
    /// Of a bundle, which was verified when it was opened.
    digest: Option<String>,
}

#[derive(Debug, Clone)]
enum Network {
    Esm2(NetworkSource<Esm2Config>),
    Dnabert(NetworkSource<DnabertConfig>, TokenizerFile),
}

impl EncoderFiles {
    /// The protein encoder of a fair-esm file, a transformers directory, or a weights file with its
    /// `config.json` next to it.
    ///
    /// # Errors
    /// Those of reading the files; a tensor missing, misshaped or left over.
    pub fn esm2(path: &Path) -> Result<Self, Error> {
        Ok(Self { network: Network::Esm2(read_esm2(path)?), digest: None })
    }

    /// The nucleotide encoder of files of the same kinds, with its `tokenizer.json` next to them.
    ///
    /// # Errors
    /// As [`esm2`](Self::esm2), and of the tokenizer.
    pub fn dnabert(path: &Path) -> Result<Self, Error> {
        let (network, tokenizer) = read_dnabert(path, None)?;
        Ok(Self { network: Network::Dnabert(network, tokenizer), digest: None })
    }

    /// The protein encoder of a bundle.
    #[must_use]
    pub fn esm2_of(bundle: &Bundle) -> Self {
        let network = Network::Esm2(bundle.parts.esm2.clone());
        Self { network, digest: Some(bundle.digests().esm2.clone()) }
    }

    /// The nucleotide encoder of a bundle.
    #[must_use]
    pub fn dnabert_of(bundle: &Bundle) -> Self {
        let parts = &bundle.parts;
        let network = Network::Dnabert(parts.dnabert.clone(), parts.tokenizer.clone());
        Self { network, digest: Some(bundle.digests().dnabert.clone()) }
    }

    /// The number of values in an embedding.
    #[must_use]
    pub fn hidden_size(&self) -> usize {
        match &self.network {
            Network::Esm2(source) => source.config.hidden_size,
            Network::Dnabert(source, _) => source.config.hidden_size,
        }
    }

    /// The digest of the encoder as a bundle records it: config, tokenizer, tensors. Those of own files
    /// are read for it.
    ///
    /// # Errors
    /// [`Error::Io`] where a file can no longer be read.
    pub fn digest(&self) -> Result<String, Error> {
        if let Some(digest) = &self.digest {
            return Ok(digest.clone());
        }
        match &self.network {
            Network::Esm2(source) => {
                network_digest(source, None, |hasher| digest(&source.weights, hasher))
            }
            Network::Dnabert(source, tokenizer) => {
                network_digest(source, Some(tokenizer), |hasher| digest(&source.weights, hasher))
            }
        }
    }

    /// The encoder on a device, and the name of that device as [`Model::device_name`] has it: the
    /// first, if the options name several.
    ///
    /// # Errors
    /// As [`Model::load`].
    ///
    /// [`Model::device_name`]: crate::Model::device_name
    /// [`Model::load`]: crate::Model::load
    pub fn load(&self, options: &ModelOptions) -> Result<(Box<dyn Encoder>, String), Error> {
        let device = options.device.open(options.precision)?;
        let encoder: Box<dyn Encoder> = match &self.network {
            Network::Esm2(source) => Box::new(Esm2::load(source, options, &device)?),
            Network::Dnabert(source, tokenizer) => {
                Box::new(Dnabert::load(source, tokenizer.load()?, options, &device)?)
            }
        };
        Ok((encoder, device_name(&device)))
    }
}
