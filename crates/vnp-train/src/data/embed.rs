//! Embedding chunks in memory, where they are few enough for that.

use vnp_infer::Encoder;
use vnp_seq::Orf;

use crate::data::chunks::Chunk;
use crate::data::examples::{Examples, Row};
use crate::data::groups::Groups;
use crate::error::Error;
use crate::split::Split;

/// ORFs embedded at a time.
const BATCH: usize = 2048;

impl Examples {
    /// The ORFs of chunks, embedded by the nucleotide and the protein encoder.
    ///
    /// # Errors
    /// Those of the encoders.
    pub fn embed(
        chunks: &[Chunk],
        groups: &Groups,
        splits: &[Split],
        (nucleotide, protein): (&dyn Encoder, &dyn Encoder),
    ) -> Result<Self, Error> {
        let (nucleotide_size, protein_size) = (nucleotide.hidden_size(), protein.hidden_size());
        let frames: Vec<&Orf> = chunks.iter().flat_map(|chunk| &chunk.frames).collect();
        let mut features = Vec::with_capacity(frames.len() * (nucleotide_size + protein_size));
        for frames in frames.chunks(BATCH) {
            let texts: Vec<&str> = frames.iter().map(|frame| frame.nucleotide.as_str()).collect();
            let nucleotides = nucleotide.embed(&texts)?;
            let texts: Vec<&str> = frames.iter().map(|frame| frame.protein.as_str()).collect();
            let proteins = protein.embed(&texts)?;
            let rows = nucleotides
                .chunks(nucleotide_size.max(1))
                .zip(proteins.chunks(protein_size.max(1)));
            rows.for_each(|(a, b)| features.extend(a.iter().chain(b)));
        }
        let row = |(number, chunk): (usize, &Chunk)| {
            let place = format!("{}:{}", chunk.record, chunk.start_bp + 1);
            let (is_virus, group) = (chunk.is_virus, chunk.group);
            let row = |frame: &Orf| Row {
                id: format!("{place}{}", frame.frame),
                chunk: number,
                is_virus,
                group,
            };
            chunk.frames.iter().map(row).collect::<Vec<_>>()
        };
        Ok(Self {
            nucleotide_size,
            protein_size,
            features,
            rows: chunks.iter().enumerate().flat_map(row).collect(),
            groups: groups.with_splits(splits),
            chunks: chunks.len(),
        })
    }
}
