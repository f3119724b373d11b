//! Layer norms with their weights.

use vnp_kernels::{Cpu, Error, layer_norm};

/// A layer norm.
#[derive(Debug, Clone)]
pub(crate) struct Norm {
    pub(crate) cpu: Cpu,
    pub(crate) weight: Vec<f32>,
    pub(crate) bias: Vec<f32>,
    pub(crate) eps: f32,
}

impl Norm {
    pub(crate) fn forward(&self, input: &[f32], output: &mut [f32]) -> Result<(), Error> {
        layer_norm(self.cpu, input, output, &self.weight, &self.bias, self.eps)
    }
}
