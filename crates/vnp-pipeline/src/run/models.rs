//! Models that are loaded only when something is to be computed.

use std::time::Instant;

use vnp_infer::Model;
use vnp_job::parts::Stage;

use crate::error::Error;
use crate::event::Event;
use crate::options::ModelInfo;

/// Loads one model for each device, once something is to be computed.
pub type LoadModel<'a> = dyn FnOnce() -> Result<Vec<Model>, vnp_infer::Error> + 'a;

/// Models that are loaded once, when they are needed.
pub(super) struct LazyModels<'a> {
    info: &'a ModelInfo,
    /// None once they are loaded.
    load: Option<Box<LoadModel<'a>>>,
    loaded: Vec<Model>,
    seconds: Option<f64>,
}

impl<'a> LazyModels<'a> {
    pub(super) fn new(info: &'a ModelInfo, load: Box<LoadModel<'a>>) -> Self {
        Self { info, load: Some(load), loaded: Vec::new(), seconds: None }
    }

    /// The models, one or more.
    pub(super) fn get(&mut self, observer: &dyn Fn(Event<'_>)) -> Result<&[Model], Error> {
        if let Some(load) = self.load.take() {
            observer(Event::LoadingModel);
            let began = Instant::now();
            self.loaded = load()?;
            self.seconds = Some(began.elapsed().as_secs_f64());
            if self.loaded.is_empty() {
                return Err(Error::NoDevice);
            }
            self.loaded.iter().try_for_each(|model| check_widths(self.info, model))?;
            observer(Event::ModelReady { devices: &self.devices() });
        }
        Ok(&self.loaded)
    }

    /// The devices of the models that were loaded.
    pub(super) fn devices(&self) -> Vec<String> {
        self.loaded.iter().map(|model| model.device_name().to_owned()).collect()
    }

    /// How long loading took, if it was done.
    pub(super) fn seconds(&self) -> Option<f64> {
        self.seconds
    }
}

/// Checks that a model's embeddings are as wide as the run expects: parts and rows rely on it.
fn check_widths(info: &ModelInfo, model: &Model) -> Result<(), Error> {
    let widths = [
        (Stage::Nucleotide, info.nucleotide_hidden, model.nucleotide.hidden_size()),
        (Stage::Protein, info.protein_hidden, model.protein.hidden_size()),
    ];
    match widths.into_iter().find(|(_, expected, found)| expected != found) {
        Some((stage, expected, found)) if info.encoders.is_some() => {
            Err(Error::ModelShape { stage: stage.name(), expected, found })
        }
        _ => Ok(()),
    }
}
