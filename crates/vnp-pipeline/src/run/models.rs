//! Models that are loaded only when something is to be computed.

use std::time::Instant;

use vnp_infer::Model;

use crate::error::Error;
use crate::event::Event;

/// Loads one model for each device, once something is to be computed.
pub type LoadModel<'a> = dyn FnOnce() -> Result<Vec<Model>, vnp_infer::Error> + 'a;

/// Models that are loaded once, when they are needed.
pub(super) struct LazyModels<'a> {
    /// None once they are loaded.
    load: Option<Box<LoadModel<'a>>>,
    loaded: Vec<Model>,
    seconds: Option<f64>,
}

impl<'a> LazyModels<'a> {
    pub(super) fn new(load: Box<LoadModel<'a>>) -> Self {
        Self { load: Some(load), loaded: Vec::new(), seconds: None }
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
