use vnp_ckpt::RowRange;
use vnp_infer::Model;
use vnp_seq::OrflessChunk;

use super::link::Link;
use super::slices::{Slices, Values, check_shape};
use super::{Computable, Flow, Worker, offset};
use crate::error::Error;
use crate::stage::Stage;

/// Takes chunks without an open frame through the nucleotide encoder and the fallback head.
struct ClosedChunks<'a> {
    slices: Slices<'a, OrflessChunk>,
}

impl Computable for OrflessChunk {
    fn worker<'m>(model: &'m Model, _batch_rows: usize) -> Box<dyn Worker<Self> + 'm> {
        let slices = Slices::new(Stage::DnaOnly, 2, |chunks: &[Self]| score(model, chunks));
        Box::new(ClosedChunks { slices })
    }
}

impl Worker<OrflessChunk> for ClosedChunks<'_> {
    fn window(
        &mut self,
        link: &mut Link<'_>,
        window: RowRange,
        chunks: &[OrflessChunk],
    ) -> Result<Flow, Error> {
        for range in link.inventory.covered(Stage::DnaOnly).missing_in(window) {
            let mut at = range.start;
            while at < range.end {
                let left = chunks.get(offset(at, window.start)..).unwrap_or_default();
                (at, _) = self.slices.compute(link, RowRange::new(at, range.end), left)?;
                if link.is_stopped() {
                    return Ok(Flow::Stopped);
                }
            }
        }
        Ok(Flow::Done)
    }
}

/// The scores of chunks: for each the means over its two strands, each embedded from its first
/// base to its last. Nobody knows which strand means anything, and neither is preferred.
fn score(model: &Model, chunks: &[OrflessChunk]) -> Result<Values, Error> {
    let reverse: Vec<String> = chunks.iter().map(OrflessChunk::reverse_complement).collect();
    let strands: Vec<&str> = chunks
        .iter()
        .zip(&reverse)
        .flat_map(|(chunk, reverse)| [chunk.nucleotide.as_str(), reverse.as_str()])
        .collect();
    let letters = strands.iter().map(|strand| strand.len() as u64).sum();
    let embeddings = model.nucleotide.embed(&strands)?;
    let expected = strands.len() * model.nucleotide.hidden_size();
    check_shape(Stage::DnaOnly, expected, embeddings.len())?;
    // A model whose bundle promised a fallback head and that has none gives no scores.
    let scores = model.fallback.as_ref().map(|head| head.score(&embeddings)).transpose()?;
    let (pairs, _) = scores.as_deref().unwrap_or_default().as_chunks::<2>();
    let mean = |[forward, reverse]: &[[f32; 2]; 2]| {
        [(forward[0] + reverse[0]) / 2.0, (forward[1] + reverse[1]) / 2.0]
    };
    Ok(Values { values: pairs.iter().flat_map(mean).collect(), letters })
}
