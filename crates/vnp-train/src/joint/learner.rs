//! Encoders, head and windows of records, as a learner.

use std::collections::BTreeMap;

use candle_core::{Device, Tensor};
use vnp_infer::{TrainableDnabert, TrainableEsm2};
use vnp_seq::Orf;

use crate::data::chunks::Chunk;
use crate::error::Error;
use crate::head::loss::softplus;
use crate::head::network::{HeadNetwork, HeadSize, Mode};
use crate::joint::augment::{Codons, mask};
use crate::joint::data::JointData;
use crate::joint::initial;
use crate::joint::recipe::JointRecipe;
use crate::joint::setup::{DNABERT, ESM2, EncoderSetup, HEAD};
use crate::joint::verdict::Verdicts;
use crate::joint::windows::Windows;
use crate::learn::learner::Learner;
use crate::learn::parameters::Parameters;
use crate::rng::Rng;
use crate::split::Split;

/// The token that masks a 6-mer: that of a 6-mer with an unknown letter.
const MASKED_6_MER: u32 = 0;
/// ORFs of a validation batch.
const VALIDATION_FRAMES: usize = 128;

pub(super) struct JointLearner<'a> {
    recipe: &'a JointRecipe,
    windows: Windows<'a>,
    validation: &'a [Chunk],
    codons: Codons,
    dnabert: TrainableDnabert,
    esm2: TrainableEsm2,
    head: HeadNetwork,
    parameters: Parameters,
}

impl<'a> JointLearner<'a> {
    pub(super) fn new(
        data: JointData<'a>,
        encoders: &EncoderSetup,
        recipe: &'a JointRecipe,
    ) -> Result<Self, Error> {
        for (class, is_virus) in [("viral", true), ("other", false)] {
            if !data.validation.iter().any(|chunk| chunk.is_virus == is_virus) {
                return Err(Error::NoRows { split: Split::Validation, class });
            }
        }
        let longest = recipe.lengths.iter().fold(0, |longest, choice| longest.max(choice.length));
        let mut parameters = Parameters::new(Device::Cpu);
        initial::add(&mut parameters, encoders, recipe.seed)?;
        let features = encoders.dnabert.hidden_size + encoders.esm2.hidden_size;
        let size = HeadSize { features, units: recipe.units };
        Ok(Self {
            recipe,
            windows: Windows::new(data, recipe.group_power, longest as usize)?,
            validation: data.validation,
            codons: Codons::new(),
            dnabert: TrainableDnabert::new(encoders.dnabert.clone(), &encoders.tokenizer)?,
            esm2: TrainableEsm2::new(encoders.esm2.clone()),
            head: HeadNetwork::new(&mut parameters, HEAD, size, recipe.dropout, recipe.seed)?,
            parameters,
        })
    }

    /// Both embeddings of tokenised ORFs, `[ORFs, hidden + hidden]`.
    fn embed(&self, frames: &Tokenised, learns: bool) -> Result<Tensor, Error> {
        let tensors = |prefix: &str| -> BTreeMap<String, Tensor> {
            let own = self.parameters.all().filter_map(|(name, variable)| {
                let name = name.strip_prefix(prefix)?.to_owned();
                let tensor = variable.as_tensor();
                Some((name, if learns { tensor.clone() } else { tensor.detach() }))
            });
            own.collect()
        };
        let nucleotide = self.dnabert.embed(&tensors(DNABERT), &frames.nucleotide)?;
        let protein = self.esm2.embed(&tensors(ESM2), &frames.protein)?;
        Ok(Tensor::cat(&[nucleotide, protein], 1)?)
    }

    /// Draws the length of the windows of a step.
    fn length(&self, rng: &mut Rng) -> usize {
        let chosen = rng.choose(&self.recipe.lengths, |choice| choice.share);
        chosen.map_or(0, |choice| choice.length as usize)
    }

    fn tokenise(&self, frame: &Orf, rng: &mut Rng) -> Result<(Vec<u32>, Vec<u32>), Error> {
        let how = self.recipe.augmentation;
        let recoded = self.codons.recode(&frame.nucleotide, how, rng);
        let mut nucleotide = self.dnabert.tokenize(&recoded)?;
        mask(&mut nucleotide, MASKED_6_MER, how.mask, rng);
        let mut protein = self.esm2.tokenize(&frame.protein);
        mask(&mut protein, TrainableEsm2::MASK, how.mask, rng);
        Ok((nucleotide, protein))
    }
}

/// The token ids of ORFs.
#[derive(Default)]
struct Tokenised {
    nucleotide: Vec<Vec<u32>>,
    protein: Vec<Vec<u32>>,
}

impl Tokenised {
    fn push(&mut self, (nucleotide, protein): (Vec<u32>, Vec<u32>)) {
        self.nucleotide.push(nucleotide);
        self.protein.push(protein);
    }
}

impl Learner for JointLearner<'_> {
    fn parameters(&self) -> &Parameters {
        &self.parameters
    }

    fn parameters_mut(&mut self) -> &mut Parameters {
        &mut self.parameters
    }

    fn steps(&self, _epoch: usize) -> usize {
        self.recipe.steps
    }

    fn loss(&mut self, epoch: usize, step: usize) -> Result<Tensor, Error> {
        let of = |what: &str| format!("{what} of epoch {epoch} step {step}");
        let mut rng = Rng::new(self.recipe.seed, &of("windows"));
        let length = self.length(&mut rng);
        let mut frames = Tokenised::default();
        let (mut chunk_of, mut is_virus) = (Vec::new(), Vec::new());
        for window in 0..self.recipe.batch {
            let label = window % 2 == 0;
            let mutation = self.recipe.augmentation.mutate;
            let drawn = self.windows.draw(label, length, mutation, &mut rng);
            for frame in drawn.iter().flatten() {
                frames.push(self.tokenise(frame, &mut rng)?);
                chunk_of.push(is_virus.len());
            }
            if drawn.is_some() {
                is_virus.push(label);
            }
        }
        if frames.protein.len() < 2 {
            return Err(Error::NoRows { split: Split::Training, class: "viral or other" });
        }
        let features = self.embed(&frames, true)?;
        let mut rng = Rng::new(self.recipe.seed, &of("dropout"));
        let mode = Mode::Training(&mut rng);
        let logits = self.head.forward(&self.parameters, &features, mode)?;
        let JointRecipe { verdict, smoothing, .. } = *self.recipe;
        let verdicts =
            Verdicts { chunk_of: &chunk_of, is_virus: &is_virus, share: verdict, smoothing };
        verdicts.loss(&logits)
    }

    /// Both classes have the same weight, and so have the chunks of a class.
    fn validate(&self) -> Result<f64, Error> {
        let (mut sums, mut counts) = ([0.0; 2], [0.0; 2]);
        let mut rest = self.validation;
        while !rest.is_empty() {
            let mut frames = 0;
            let count = rest.iter().take_while(|chunk| {
                frames += chunk.frames.len();
                frames <= VALIDATION_FRAMES
            });
            let (chunks, later) = rest.split_at(count.count().max(1));
            rest = later;
            for (chunk, loss) in chunks.iter().zip(self.losses(chunks)?) {
                let class = usize::from(chunk.is_virus);
                if let (Some(sum), Some(count)) = (sums.get_mut(class), counts.get_mut(class)) {
                    *sum += loss;
                    *count += 1.0;
                }
            }
        }
        let ([others, viral], [other_chunks, viral_chunks]) = (sums, counts);
        Ok((others / other_chunks + viral / viral_chunks) / 2.0)
    }
}

impl JointLearner<'_> {
    /// The cross-entropy of each chunk by its ORF with the largest margin.
    fn losses(&self, chunks: &[Chunk]) -> Result<Vec<f64>, Error> {
        let mut frames = Tokenised::default();
        for frame in chunks.iter().flat_map(|chunk| &chunk.frames) {
            let protein = self.esm2.tokenize(&frame.protein);
            frames.push((self.dnabert.tokenize(&frame.nucleotide)?, protein));
        }
        let features = self.embed(&frames, false)?;
        let logits = self.head.forward(&self.parameters, &features, Mode::Inference)?;
        let logits = logits.to_vec2::<f32>()?;
        let mut margins = logits.iter().map(|row| match row.as_slice() {
            [others, virus] => f64::from(virus - others),
            _ => f64::NAN,
        });
        let losses = chunks.iter().map(|chunk| {
            let own = margins.by_ref().take(chunk.frames.len());
            let decided = own.reduce(|a, b| if b.abs() > a.abs() { b } else { a });
            // Every chunk has an ORF; without one the loss would be reported as diverged.
            let margin = decided.unwrap_or(f64::NAN) * if chunk.is_virus { 1.0 } else { -1.0 };
            softplus(-margin)
        });
        Ok(losses.collect())
    }
}
