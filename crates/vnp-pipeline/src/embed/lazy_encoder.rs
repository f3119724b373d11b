//! An encoder that is loaded only when something is to be computed.

use vnp_infer::Encoder;
use vnp_job::parts::Stage;

use super::event::EmbedEvent;
use super::options::{EncoderInfo, LoadEncoder};
use crate::error::Error;

/// An encoder that is loaded once, when it is needed.
pub(super) struct LazyEncoder<'a> {
    /// None once it is loaded.
    load: Option<Box<LoadEncoder<'a>>>,
    loaded: Option<(Box<dyn Encoder>, String)>,
}

impl<'a> LazyEncoder<'a> {
    pub(super) fn new(load: Box<LoadEncoder<'a>>) -> Self {
        Self { load: Some(load), loaded: None }
    }

    /// The encoder and its device.
    pub(super) fn get(
        &mut self,
        info: &EncoderInfo,
        stage: Stage,
        observer: &dyn Fn(EmbedEvent<'_>),
    ) -> Result<(&dyn Encoder, &str), Error> {
        if let Some(load) = self.load.take() {
            observer(EmbedEvent::LoadingEncoder);
            let (encoder, device) = load()?;
            let (expected, found) = (info.hidden_size, encoder.hidden_size());
            if expected != found {
                return Err(Error::ModelShape { stage: stage.name(), expected, found });
            }
            observer(EmbedEvent::EncoderReady { device: &device });
            self.loaded = Some((encoder, device));
        }
        let (encoder, device) = self.loaded.as_ref().ok_or(Error::NoDevice)?;
        Ok((encoder.as_ref(), device))
    }
}
