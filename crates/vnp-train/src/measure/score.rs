//! Scoring examples with a head.

use vnp_infer::Head;

use crate::data::examples::Examples;
use crate::error::Error;

/// Rows scored at a time.
const ROWS: usize = 4096;

impl Examples {
    /// The scores `[score1, score2]` of all rows by a head, in their order.
    ///
    /// # Errors
    /// Those of [`Head::score`].
    pub fn score(&self, head: &Head) -> Result<Vec<[f32; 2]>, Error> {
        let width = self.width().max(1);
        let mut scores = Vec::with_capacity(self.rows.len());
        for rows in self.features.chunks(ROWS * width) {
            let (mut nucleotide, mut protein) = (Vec::new(), Vec::new());
            for row in rows.chunks_exact(width) {
                let (first, second) = row.split_at(self.nucleotide_size);
                nucleotide.extend_from_slice(first);
                protein.extend_from_slice(second);
            }
            scores.extend(head.score(&nucleotide, &protein)?);
        }
        Ok(scores)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::examples::tests::examples;

    #[test]
    fn all_rows_are_scored_in_order() {
        let examples = examples(1);
        let mut tensors = vnp_infer::Tensors::default();
        tensors.insert_f32("hidden_layer.weight", &[1, 4], &[0.5, -0.5, 0.25, 1.0]);
        for (name, value) in [
            ("hidden_layer.bias", 0.1),
            ("bn1.weight", 1.0),
            ("bn1.bias", 0.0),
            ("bn1.running_mean", 0.0),
            ("bn1.running_var", 1.0),
        ] {
            tensors.insert_f32(name, &[1], &[value]);
        }
        tensors.insert_f32("output_layer.weight", &[2, 1], &[1.0, -1.0]);
        tensors.insert_f32("output_layer.bias", &[2], &[0.0, 0.0]);
        let head = Head::new(tensors, 3, 1).unwrap();
        let scores = examples.score(&head).unwrap();
        assert_eq!(scores.len(), 240);
        let (nucleotide, protein) = examples.row(117).split_at(3);
        assert_eq!(scores[117], head.score(nucleotide, protein).unwrap()[0]);
    }
}
