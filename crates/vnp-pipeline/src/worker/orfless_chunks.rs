//! The worker for chunks without an ORF: the nucleotide encoder on both strands, then a head of its own.

use vnp_ckpt::RowRange;
use vnp_infer::{Interrupt, Model};
use vnp_job::parts::Stage;
use vnp_seq::OrflessChunk;

use super::cancellation::Ended;
use super::handle::SessionHandle;
use super::offset::offset;
use super::slices::{Slices, Values, check_shape};
use super::window::{Computable, Settings, Worker};
use crate::error::Error;

/// Takes chunks without an ORF through the nucleotide encoder and the nucleotide-only head.
struct OrflessChunks<'a> {
    slices: Slices<'a, OrflessChunk>,
}

impl Computable for OrflessChunk {
    fn worker<'m>(model: &'m Model, _settings: Settings) -> Box<dyn Worker<Self> + 'm> {
        let score = |chunks: &[Self], interrupt: &Interrupt<'_>| score(model, chunks, interrupt);
        let cost = |chunks: &[Self]| {
            // Both strands, of one length.
            let strands = chunks.iter().flat_map(|chunk| [chunk.nucleotide.as_str(); 2]);
            Ok(model.nucleotide.cost(&strands.collect::<Vec<_>>())?)
        };
        let threads = model.nucleotide.threads();
        let slices = Slices::new(Stage::NucleotideOnly, 2, score, cost, threads);
        Box::new(OrflessChunks { slices })
    }
}

impl Worker<OrflessChunk> for OrflessChunks<'_> {
    #[expect(clippy::indexing_slicing, reason = "a window comes with all of its rows")]
    fn window(
        &mut self,
        session: &mut SessionHandle<'_>,
        window: RowRange,
        chunks: &[OrflessChunk],
    ) -> Result<(), Ended> {
        for range in session.inventory.missing(Stage::NucleotideOnly, window) {
            let mut at = range.start;
            while at < range.end {
                let left = &chunks[offset(at, window.start)..];
                (at, _) = self.slices.compute(session, RowRange::new(at, range.end), left)?;
                session.check()?;
            }
        }
        Ok(())
    }
}

/// The scores of chunks: for each the means over its two strands, each embedded from its first
/// base to its last. Which strand is the coding one is not known, and neither is preferred.
fn score(
    model: &Model,
    chunks: &[OrflessChunk],
    is_interrupted: &Interrupt<'_>,
) -> Result<Values, Error> {
    let reverse: Vec<String> = chunks.iter().map(OrflessChunk::reverse_complement).collect();
    let strands: Vec<&str> = chunks
        .iter()
        .zip(&reverse)
        .flat_map(|(chunk, reverse)| [chunk.nucleotide.as_str(), reverse.as_str()])
        .collect();
    let embeddings = model.nucleotide.embed_unless(&strands, is_interrupted)?;
    let expected = strands.len() * model.nucleotide.hidden_size();
    check_shape(Stage::NucleotideOnly, expected, embeddings.len())?;
    // A model whose bundle promised such a head and that has none gives no scores: the caller's
    // check of their number reports it.
    let scores = model.fallback.as_ref().map(|head| head.score(&embeddings)).transpose()?;
    let (pairs, _) = scores.as_deref().unwrap_or_default().as_chunks::<2>();
    let mean = |[forward, reverse]: &[[f32; 2]; 2]| {
        [(forward[0] + reverse[0]) / 2.0, (forward[1] + reverse[1]) / 2.0]
    };
    let strands = embeddings.chunks_exact((2 * model.nucleotide.hidden_size()).max(1));
    let embedded = strands.map(|values| values.iter().all(|value| value.is_finite())).collect();
    Ok(Values { values: pairs.iter().flat_map(mean).collect(), embedded })
}
