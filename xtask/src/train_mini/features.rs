//! Embeddings of frames, by the encoders as they will run.

use anyhow::Result;
use vnp_infer::Encoder;

use super::chunks::Chunk;

/// Frames at a time.
const BATCH: usize = 4096;

/// The features of frames, nucleotide and protein side by side.
#[derive(Debug, Clone, Default)]
pub(crate) struct Features {
    pub(crate) nucleotide: Vec<f32>,
    pub(crate) protein: Vec<f32>,
    /// `[rows, width]`
    pub(crate) joined: Vec<f32>,
    pub(crate) width: usize,
}

impl Features {
    pub(crate) fn new(
        chunks: &[Chunk],
        nucleotide: &dyn Encoder,
        protein: &dyn Encoder,
    ) -> Result<Self> {
        let frames: Vec<_> = chunks.iter().flat_map(|chunk| &chunk.frames).collect();
        let mut features = Self::default();
        for frames in frames.chunks(BATCH) {
            let texts: Vec<&str> = frames.iter().map(|frame| frame.nucleotide.as_str()).collect();
            features.nucleotide.extend(nucleotide.embed(&texts)?);
            let texts: Vec<&str> = frames.iter().map(|frame| frame.protein.as_str()).collect();
            features.protein.extend(protein.embed(&texts)?);
        }
        let rows = features
            .nucleotide
            .chunks(nucleotide.hidden_size())
            .zip(features.protein.chunks(protein.hidden_size()));
        features.joined = rows.flat_map(|(a, b)| a.iter().chain(b).copied()).collect();
        features.width = nucleotide.hidden_size() + protein.hidden_size();
        Ok(features)
    }

    /// Mean and deviation of every feature.
    pub(crate) fn moments(&self) -> (Vec<f32>, Vec<f32>) {
        let mut mean = vec![0.0f64; self.width];
        let mut square = vec![0.0f64; self.width];
        for row in self.joined.chunks(self.width) {
            for ((mean, square), x) in mean.iter_mut().zip(&mut square).zip(row) {
                *mean += f64::from(*x);
                *square += f64::from(*x) * f64::from(*x);
            }
        }
        let rows = (self.joined.len() / self.width.max(1)).max(1) as f64;
        let deviation = mean.iter().zip(&square).map(|(mean, square)| {
            let mean = mean / rows;
            (square / rows - mean * mean).max(1e-12).sqrt() as f32
        });
        (mean.iter().map(|mean| (mean / rows) as f32).collect(), deviation.collect())
    }

    /// The same features with mean 0 and deviation 1.
    pub(crate) fn standardised(&self, mean: &[f32], deviation: &[f32]) -> Vec<f32> {
        let row = |row: &[f32]| {
            let scaled = row.iter().zip(mean).zip(deviation).map(|((x, m), d)| (x - m) / d);
            scaled.collect::<Vec<_>>()
        };
        self.joined.chunks(self.width).flat_map(row).collect()
    }
}
