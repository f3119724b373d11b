//! A loaded model: both encoders and the heads, on one device.

use std::path::Path;

use candle_core::Device;

use crate::bundle::Bundle;
use crate::bundle::distribution::{read_dnabert, read_esm2};
use crate::bundle::head_file::HeadFile;
use crate::bundle::parts::TokenizerFile;
use crate::device::device_name;
use crate::encoder::absent::Absent;
use crate::encoder::transformer::{Dnabert, Esm2};
use crate::encoder::{Encoder, ModelOptions};
use crate::error::Error;
use crate::head::Head;
use crate::head::fallback::FallbackHead;

/// Everything that turns a frame into two scores.
pub struct Model {
    /// Embeds the frame's nucleotides.
    pub nucleotide: Box<dyn Encoder>,
    /// Embeds the frame's protein.
    pub protein: Box<dyn Encoder>,
    /// Scores a pair of embeddings.
    pub head: Head,
    /// Scores a nucleotide embedding alone; `None` if the bundle has no such head.
    pub fallback: Option<FallbackHead>,
    device_name: String,
}

impl Model {
    /// Loads a bundle onto a device: the first, if the options name several.
    ///
    /// ```
    /// use vnp_infer::{Bundle, Model, ModelOptions};
    ///
    /// let model = Model::load(&Bundle::embedded()?, &ModelOptions::default())?;
    /// let nucleotide = model.nucleotide.embed(&["ATGGCCATTGTAATGGGC"])?;
    /// let protein = model.protein.embed(&["MAIVMG"])?;
    /// let [others, virus] = model.head.score(&nucleotide, &protein)?[0];
    /// assert!((others + virus - 1.0).abs() < 1e-6);
    /// # Ok::<(), vnp_infer::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::NoCuda`], [`Error::Device`] and [`Error::Precision`] for a device that cannot be
    /// used as asked; [`Error::Io`] and [`Error::Compute`] while loading.
    pub fn load(bundle: &Bundle, options: &ModelOptions) -> Result<Self, Error> {
        Self::load_onto(bundle, options, &options.device.open(options.precision)?)
    }

    /// Loads one model onto each device that the options name: all visible GPUs for `cuda` and,
    /// where there are any, `auto`; otherwise one.
    ///
    /// ```
    /// use vnp_infer::{Bundle, DeviceSpec, Model, ModelOptions};
    ///
    /// let options = ModelOptions { device: DeviceSpec::Cpu, ..ModelOptions::default() };
    /// assert_eq!(Model::load_all(&Bundle::embedded()?, &options)?.len(), 1);
    /// # Ok::<(), vnp_infer::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`Model::load`], of any of the devices.
    pub fn load_all(bundle: &Bundle, options: &ModelOptions) -> Result<Vec<Self>, Error> {
        let devices = options.device.open_all(options.precision)?;
        // All at once: what takes long is reading and converting the weights.
        std::thread::scope(|scope| {
            let loads: Vec<_> = devices
                .iter()
                .map(|device| scope.spawn(|| Self::load_onto(bundle, options, device)))
                .collect();
            let join = |load: std::thread::ScopedJoinHandle<'_, _>| {
                load.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
            };
            loads.into_iter().map(join).collect()
        })
    }

    fn load_onto(bundle: &Bundle, options: &ModelOptions, device: &Device) -> Result<Self, Error> {
        let parts = &bundle.parts;
        let (nucleotide, protein) = (parts.nucleotide_size(), parts.protein_size());
        let head = Head::load(&parts.head, nucleotide, protein)?;
        let load_fallback = |weights| FallbackHead::load(weights, nucleotide);
        let fallback = parts.fallback.as_ref().map(load_fallback).transpose()?;
        let dnabert = Dnabert::load(&parts.dnabert, parts.tokenizer.load()?, options, device)?;
        Ok(Self {
            nucleotide: Box::new(dnabert),
            protein: Box::new(Esm2::load(&parts.esm2, options, device)?),
            head,
            fallback,
            device_name: device_name(device),
        })
    }

    /// A head alone, for embeddings that were computed before, with `nucleotide` and `protein`
    /// values. The model's encoders have these widths and refuse to embed.
    ///
    /// # Errors
    /// [`Error::HeadSize`] where the head takes another number of values.
    pub fn head_only(head: &HeadFile, nucleotide: usize, protein: usize) -> Result<Self, Error> {
        let absent = |name, hidden_size| Box::new(Absent { name, hidden_size });
        Ok(Self {
            nucleotide: absent("dnabert-s", nucleotide),
            protein: absent("esm2", protein),
            head: Head::load(&head.weights, nucleotide, protein)?,
            fallback: None,
            device_name: device_name(&Device::Cpu),
        })
    }

    /// A model of any encoders, such as cheap ones in tests, without a fallback head.
    /// `device_name` is for the records of a run.
    pub fn from_parts(
        nucleotide: Box<dyn Encoder>,
        protein: Box<dyn Encoder>,
        head: Head,
        device_name: impl Into<String>,
    ) -> Self {
        Self { nucleotide, protein, head, fallback: None, device_name: device_name.into() }
    }

    /// The device and what it is: `cuda:0 (NVIDIA H200)`, `cpu (avx512)`. Within one name on
    /// one machine type f32 embeddings are equal bit for bit; across names within 1e-4.
    pub fn device_name(&self) -> &str {
        &self.device_name
    }
}

impl std::fmt::Debug for Model {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Model").field("device_name", &self.device_name).finish_non_exhaustive()
    }
}

/// Loads a protein encoder alone: from a bundle directory, a transformers directory, or a
/// safetensors file with its `config.json` next to it.
///
/// # Errors
/// As [`Bundle::open`] and [`Model::load`].
pub fn load_esm2(path: &Path, options: &ModelOptions) -> Result<Esm2, Error> {
    if is_bundle(path) {
        return Bundle::open(path)?.load_esm2(options);
    }
    Esm2::load(&read_esm2(path)?, options, &options.device.open(options.precision)?)
}

/// Loads a nucleotide encoder alone, from files of the same kinds. `tokenizer` replaces the
/// `tokenizer.json` next to the weights.
///
/// # Errors
/// As [`Bundle::open`] and [`Model::load`].
pub fn load_dnabert(
    path: &Path,
    tokenizer: Option<&Path>,
    options: &ModelOptions,
) -> Result<Dnabert, Error> {
    if !is_bundle(path) {
        let (source, tokenizer) = read_dnabert(path, tokenizer)?;
        let device = options.device.open(options.precision)?;
        return Dnabert::load(&source, tokenizer.load()?, options, &device);
    }
    let mut bundle = Bundle::open(path)?;
    if let Some(tokenizer) = tokenizer {
        bundle.parts.tokenizer = TokenizerFile::read(tokenizer)?;
    }
    bundle.load_dnabert(options)
}

impl Bundle {
    /// The bundle's protein encoder alone.
    ///
    /// # Errors
    /// As [`Model::load`].
    pub fn load_esm2(&self, options: &ModelOptions) -> Result<Esm2, Error> {
        Esm2::load(&self.parts.esm2, options, &options.device.open(options.precision)?)
    }

    /// The bundle's nucleotide encoder alone.
    ///
    /// # Errors
    /// As [`Model::load`].
    pub fn load_dnabert(&self, options: &ModelOptions) -> Result<Dnabert, Error> {
        let device = options.device.open(options.precision)?;
        Dnabert::load(&self.parts.dnabert, self.parts.tokenizer.load()?, options, &device)
    }
}

fn is_bundle(path: &Path) -> bool {
    path.join("bundle.json").is_file()
}
