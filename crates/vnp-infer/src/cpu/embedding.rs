//! From token ids to the vectors before the first layer.

#![expect(clippy::indexing_slicing, reason = "tokenizers are checked against the vocabulary")]

use vnp_kernels::Error;

use super::norm::Norm;
use crate::architecture::plan::TokenDropout;

/// The token vectors of a network.
pub(crate) struct Embedding {
    /// `[vocabulary, hidden]`, the vector of token type 0 added where the network has types
    pub(crate) table: Vec<f32>,
    pub(crate) hidden: usize,
    /// The norm of token vectors, in a post-norm network.
    pub(crate) norm: Option<Norm>,
    pub(crate) dropout: Option<TokenDropout>,
}

impl Embedding {
    /// Writes the vectors of a sequence's tokens, `[tokens, hidden]`.
    pub(crate) fn forward(&self, ids: &[u32], x: &mut [f32]) -> Result<(), Error> {
        let scale = self.dropout.map_or(1.0, |dropout| dropout.kept / dropout.not_masked(ids));
        for (x, id) in x.chunks_exact_mut(self.hidden).zip(ids) {
            let row = &self.table[*id as usize * self.hidden..][..self.hidden];
            match &self.norm {
                Some(norm) => norm.forward(row, x)?,
                None if self.dropout.is_some_and(|dropout| dropout.mask == *id) => x.fill(0.0),
                None => x.iter_mut().zip(row).for_each(|(x, value)| *x = value * scale),
            }
        }
        Ok(())
    }
}
