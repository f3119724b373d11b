//! The part of an encoder between token ids and embeddings, whatever computes it.

use crate::encoder::Interrupt;
use crate::error::Error;

/// A loaded network: [`crate::cpu`] and [`crate::candle`] each have one.
pub(crate) trait Network: Send + Sync {
    /// The embeddings of tokenised sequences, `[sequences, hidden]`; NaN for a sequence without a
    /// residue or base. Given up soon after `is_interrupted` answers yes.
    fn embed_unless(
        &self,
        sequences: &[Vec<u32>],
        is_interrupted: &Interrupt<'_>,
    ) -> Result<Vec<f32>, Error>;

    /// The same of sequences that come in groups. On a device, a group is taken from the iterator
    /// while the one before is computed.
    fn embed_groups(
        &self,
        groups: &mut dyn Iterator<Item = Result<Vec<Vec<u32>>, Error>>,
        is_interrupted: &Interrupt<'_>,
    ) -> Result<Vec<f32>, Error> {
        let sequences = groups.collect::<Result<Vec<_>, _>>()?.concat();
        self.embed_unless(&sequences, is_interrupted)
    }

    /// The embeddings of tokenised sequences, without interruption.
    #[cfg(test)]
    fn embed(&self, sequences: &[Vec<u32>]) -> Result<Vec<f32>, Error> {
        self.embed_unless(sequences, &|| false)
    }
}
