//! A head and its rows, as a learner.

use candle_core::{Device, Tensor};

use crate::data::examples::Examples;
use crate::error::Error;
use crate::head::batches::Batches;
use crate::head::loss::{cross_entropy, softplus};
use crate::head::network::{HeadNetwork, HeadSize, Mode};
use crate::head::recipe::{HeadRecipe, Sampling};
use crate::head::standard::Standard;
use crate::learn::learner::Learner;
use crate::learn::parameters::Parameters;
use crate::rng::Rng;
use crate::split::Split;

/// The rows of a validation batch.
const VALIDATION_ROWS: usize = 1024;

pub(super) struct HeadLearner<'a> {
    examples: &'a Examples,
    recipe: &'a HeadRecipe,
    parameters: Parameters,
    network: HeadNetwork,
    batches: Batches,
    validation: Vec<usize>,
    pub(super) standard: Option<Standard>,
}

impl<'a> HeadLearner<'a> {
    pub(super) fn new(examples: &'a Examples, recipe: &'a HeadRecipe) -> Result<Self, Error> {
        let training = examples.rows_of(Split::Training);
        let mut parameters = Parameters::new(Device::Cpu);
        let size = HeadSize { features: examples.width(), units: recipe.units };
        let network = HeadNetwork::new(&mut parameters, "", size, recipe.dropout, recipe.seed)?;
        let standard = recipe.standardise.then(|| Standard::of(examples, &training));
        let HeadRecipe { sampling, batch, seed, .. } = *recipe;
        Ok(Self {
            examples,
            recipe,
            parameters,
            network,
            batches: Batches::new(examples, training, sampling, batch, seed),
            validation: examples.rows_of(Split::Validation),
            standard,
        })
    }

    /// The features of some rows, `[rows, features]`.
    fn gather(&self, rows: &[usize]) -> Result<Tensor, Error> {
        let width = self.examples.width();
        let mut features = Vec::with_capacity(rows.len() * width);
        for row in rows {
            let start = features.len();
            features.extend_from_slice(self.examples.row(*row));
            if let (Some(standard), Some(row)) = (&self.standard, features.get_mut(start..)) {
                standard.apply(row);
            }
        }
        Ok(Tensor::from_vec(features, (rows.len(), width), self.parameters.device())?)
    }

    fn is_virus(&self, row: usize) -> bool {
        self.examples.rows.get(row).is_some_and(|row| row.is_virus)
    }
}

impl Learner for HeadLearner<'_> {
    fn parameters(&self) -> &Parameters {
        &self.parameters
    }

    fn parameters_mut(&mut self) -> &mut Parameters {
        &mut self.parameters
    }

    fn steps(&self, _epoch: usize) -> usize {
        self.batches.steps()
    }

    fn loss(&mut self, epoch: usize, step: usize) -> Result<Tensor, Error> {
        let rows = self.batches.rows(epoch, step).to_vec();
        let features = self.gather(&rows)?;
        let is_virus: Vec<bool> = rows.iter().map(|row| self.is_virus(*row)).collect();
        let mut rng = Rng::new(self.recipe.seed, &format!("dropout of epoch {epoch} step {step}"));
        let mode = Mode::Training(&mut rng);
        let logits = self.network.forward(&self.parameters, &features, mode)?;
        cross_entropy(&logits, &is_virus, self.recipe.smoothing)
    }

    fn validate(&self) -> Result<f64, Error> {
        let (mut sums, mut counts) = ([0.0; 2], [0.0; 2]);
        for rows in self.validation.chunks(VALIDATION_ROWS) {
            let features = self.gather(rows)?;
            let logits = self.network.forward(&self.parameters, &features, Mode::Inference)?;
            for (row, logits) in rows.iter().zip(logits.to_vec2::<f32>()?) {
                let [others, virus] = logits.as_slice() else { continue };
                let is_virus = self.is_virus(*row);
                let margin = f64::from(virus - others) * if is_virus { 1.0 } else { -1.0 };
                let [of_others, of_virus] = &mut sums;
                *(if is_virus { of_virus } else { of_others }) += softplus(-margin);
                let [others, virus] = &mut counts;
                *(if is_virus { virus } else { others }) += 1.0;
            }
        }
        let ([others, virus], [other_rows, viral_rows]) = (sums, counts);
        Ok(match self.recipe.sampling {
            Sampling::EveryRow => (others + virus) / (other_rows + viral_rows),
            Sampling::Balanced => (others / other_rows + virus / viral_rows) / 2.0,
        })
    }
}
