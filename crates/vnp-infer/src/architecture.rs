//! What distinguishes one transformer from another: its config, its tensors, its layer plan.
//!
//! Each architecture is one file here. Everything that loads or computes a network, on the CPU
//! ([`crate::cpu`]) or on a device of candle ([`crate::candle`]), walks the [`Plan`] that the file
//! gives and knows no architecture by name.

pub(crate) mod check;
pub(crate) mod dnabert;
pub(crate) mod esm2;
pub(crate) mod fair;
pub(crate) mod plan;
pub(crate) mod shapes;

use std::sync::Arc;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::Error;
use crate::weights::{Role, TensorSource, Weights};
use plan::Plan;

/// The config of a network, and how the network follows from it.
pub(crate) trait Architecture: Serialize + DeserializeOwned {
    /// Fails for a config that the network cannot run with; `file` is for messages.
    fn check(&self, file: &str) -> Result<(), Error>;

    /// The network that this config describes.
    fn plan(&self) -> Plan;

    /// What a checkpoint's tensor of this name means to the network.
    fn role(name: &str) -> Role;

    /// The config of a network whose checkpoint comes without one, from the shapes of its tensors.
    fn from_tensors(source: &dyn TensorSource) -> Result<Self, Error>;
}

/// What a network is loaded from: a config, and exactly the tensors that it asks for.
#[derive(Debug, Clone)]
pub(crate) struct NetworkSource<A> {
    pub(crate) config: A,
    pub(crate) weights: Weights,
}

impl<A: Architecture> NetworkSource<A> {
    /// Checks the config, and picks the network's tensors out of a checkpoint.
    pub(crate) fn new(config: A, source: Arc<dyn TensorSource>) -> Result<Self, Error> {
        config.check(source.label())?;
        let plan = config.plan();
        let optional = plan.optional_tensors().into_iter();
        Ok(Self { weights: Weights::select(source, A::role, plan.tensors(), optional)?, config })
    }
}
