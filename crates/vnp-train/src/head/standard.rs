//! Standardised features: mean 0 and deviation 1.

use crate::data::examples::Examples;
use crate::error::Error;
use crate::learn::snapshot::Snapshot;

/// The mean and the deviation of every feature over some rows.
#[derive(Debug)]
pub(super) struct Standard {
    mean: Vec<f32>,
    deviation: Vec<f32>,
}

impl Standard {
    /// Computes them over these rows.
    pub(super) fn of(examples: &Examples, rows: &[usize]) -> Self {
        let width = examples.width();
        let count = rows.len().max(1) as f64;
        // Two passes: sums of squares lose precision where the mean is large.
        let mut mean = vec![0.0f64; width];
        for row in rows {
            let features = examples.row(*row);
            mean.iter_mut().zip(features).for_each(|(mean, x)| *mean += f64::from(*x) / count);
        }
        let mut square = vec![0.0f64; width];
        for row in rows {
            let features = examples.row(*row).iter().zip(&mean);
            let all = square.iter_mut().zip(features);
            all.for_each(|(square, (x, mean))| *square += (f64::from(*x) - mean).powi(2) / count);
        }
        // A constant feature is not divided by its deviation of zero.
        let deviation = |square: f64| if square > 1e-12 { square.sqrt() as f32 } else { 1.0 };
        Self {
            mean: mean.iter().map(|mean| *mean as f32).collect(),
            deviation: square.into_iter().map(deviation).collect(),
        }
    }

    /// Standardises a row.
    pub(super) fn apply(&self, row: &mut [f32]) {
        for ((x, mean), deviation) in row.iter_mut().zip(&self.mean).zip(&self.deviation) {
            *x = (*x - mean) / deviation;
        }
    }

    /// Turns a head of standardised features into one of raw features.
    pub(super) fn absorb(&self, head: &mut Snapshot) -> Result<(), Error> {
        let mut shifts = Vec::new();
        for weights in head.values_mut("hidden_layer.weight")?.chunks_mut(self.mean.len().max(1)) {
            let mut shift = 0.0;
            for ((w, mean), deviation) in weights.iter_mut().zip(&self.mean).zip(&self.deviation) {
                *w /= deviation;
                shift += f64::from(*w) * f64::from(*mean);
            }
            shifts.push(shift as f32);
        }
        let biases = head.values_mut("hidden_layer.bias")?;
        biases.iter_mut().zip(shifts).for_each(|(bias, shift)| *bias -= shift);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn features_are_standardised_and_a_head_takes_them_as_they_were() {
        let examples = Examples {
            nucleotide_size: 2,
            protein_size: 1,
            features: vec![1.0, 5.0, 10.0, 3.0, 5.0, 30.0, 100.0, 100.0, 100.0],
            ..Examples::default()
        };
        // The third row is of another split, and is ignored.
        let standard = Standard::of(&examples, &[0, 1]);
        let mut row = examples.row(1).to_vec();
        standard.apply(&mut row);
        assert_eq!(row, [1.0, 0.0, 1.0]);

        let mut head = Snapshot::default();
        head.insert("hidden_layer.weight", &[2, 3], vec![0.5, 1.0, -2.0, 3.0, 0.0, 0.25]);
        head.insert("hidden_layer.bias", &[2], vec![0.1, -0.1]);
        let unit = |head: &Snapshot, unit: usize, row: &[f32]| {
            let (weight, bias) = (
                head.get("hidden_layer.weight").unwrap().1,
                head.get("hidden_layer.bias").unwrap().1,
            );
            weight[3 * unit..][..3].iter().zip(row).map(|(w, x)| w * x).sum::<f32>() + bias[unit]
        };
        let expected = [0, 1].map(|i| unit(&head, i, &row));
        standard.absorb(&mut head).unwrap();
        let found = [0, 1].map(|i| unit(&head, i, examples.row(1)));
        assert!(
            found.iter().zip(&expected).all(|(a, b)| (a - b).abs() < 1e-5),
            "{found:?} {expected:?}"
        );
    }
}
